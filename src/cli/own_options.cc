#include "cli/own_options.h"

namespace arus::cli {

Result<config::ConfigMap> ClusterOptions::merged() const {
  config::ConfigMap merged;
  if (!config_file.empty()) {
    auto read = read_properties_file(config_file);
    if (!read) return read;
    merged = std::move(*read);
  }
  ARUS_TRY(add_properties(merged, properties));
  return merged;
}

Result<client::ClientOptions> ClusterOptions::client() const {
  const auto properties_read = merged();
  if (!properties_read) return fail(properties_read.error());
  return client_options(*properties_read, bootstrap, "arus");
}

}  // namespace arus::cli
