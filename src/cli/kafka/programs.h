// Kafka's programs, each in the file of its name.
#pragma once

#include "cli/cli.h"
#include "cli/console.h"

namespace arus::cli::kafka {

int acls(Console& console, const Arguments& arguments);
int broker_api_versions(Console& console, const Arguments& arguments);
int cluster(Console& console, const Arguments& arguments);
int configs(Console& console, const Arguments& arguments);
int console_consumer(Console& console, const Arguments& arguments);
int console_producer(Console& console, const Arguments& arguments);
int consumer_groups(Console& console, const Arguments& arguments);
int delete_records(Console& console, const Arguments& arguments);
int dump_log(Console& console, const Arguments& arguments);
int features(Console& console, const Arguments& arguments);
int get_offsets(Console& console, const Arguments& arguments);
int groups(Console& console, const Arguments& arguments);
int log_dirs(Console& console, const Arguments& arguments);
int metadata_quorum(Console& console, const Arguments& arguments);
int server_stop(Console& console, const Arguments& arguments);
int storage(Console& console, const Arguments& arguments);
int topics(Console& console, const Arguments& arguments);
int transactions(Console& console, const Arguments& arguments);

}  // namespace arus::cli::kafka
