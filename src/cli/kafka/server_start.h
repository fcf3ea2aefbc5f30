// kafka-server-start: the server under Kafka's name, in the foreground or as a daemon.
#pragma once

#include "cli/cli.h"
#include "cli/console.h"

namespace arus::cli::kafka {

// `[-daemon] [-name NAME] server.properties [--override key=value]…`. As a daemon its output goes
// to $LOG_DIR/NAME.out (logs/kafkaServer.out without either), and this returns at once.
int server_start(Console& console, const Arguments& arguments, const Supplied& supplied);

}  // namespace arus::cli::kafka
