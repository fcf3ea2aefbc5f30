// Client settings under Kafka's names, from files and from options.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "client/consumer.h"
#include "client/group_consumer.h"
#include "client/options.h"
#include "client/producer.h"
#include "config/config_table.h"

namespace arus::cli {

// Reads a properties file; an error says which file and why.
Result<config::ConfigMap> read_properties_file(const std::string& path);
// What the file says, if there is one, over what is there.
Result<> merge_properties_file(config::ConfigMap& into, const std::optional<std::string>& path);
// "key=value" strings over what is there.
Result<> add_properties(config::ConfigMap& properties, const std::vector<std::string>& pairs);

// Each looks at the keys that concern it and leaves others alone: a file may serve several clients.
// A value that cannot be is an error in Kafka's words; a security protocol other than PLAINTEXT is
// an error because it is not built yet and must not be dropped silently.
Result<client::ClientOptions> client_options(const config::ConfigMap& properties,
                                             std::string_view bootstrap,
                                             std::string_view client_id);
Result<client::ProducerOptions> producer_options(const config::ConfigMap& properties);
Result<client::ConsumerOptions> consumer_options(const config::ConfigMap& properties);
// group.id must be there.
Result<client::GroupConsumerOptions> group_consumer_options(const config::ConfigMap& properties);

}  // namespace arus::cli
