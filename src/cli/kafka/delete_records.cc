#include <fmt/core.h>

#include <fstream>
#include <sstream>

#include "cli/json.h"
#include "cli/kafka/command.h"
#include "cli/kafka/programs.h"
#include "client/admin.h"

namespace arus::cli::kafka {
namespace {

constexpr OptionSpec delete_records_specs[] = {
    {"bootstrap-server", Takes::value, "host:port", "REQUIRED: brokers to ask first."},
    {"command-config", Takes::value, "file", "Properties for the client."},
    {"help", Takes::nothing, "", "Print this."},
    {"offset-json-file", Takes::value, "file",
     "REQUIRED: {\"partitions\": [{\"topic\": \"foo\", \"partition\": 1, \"offset\": 1}], "
     "\"version\": 1}"},
    {"version", Takes::nothing, "", "Print the version."},
};

Result<std::map<TopicPartition, Offset>> parse_offsets(const std::string& path) {
  std::ifstream file{path, std::ios::binary};
  if (!file) return fail(ErrorCode::invalid_request, fmt::format("{} cannot be read", path));
  std::ostringstream text;
  text << file.rdbuf();
  const auto json = parse_json(text.str());
  if (!json) return fail(ErrorCode::invalid_request, "The input string is not a valid JSON");
  const Json* version = json->member("version");
  if (version != nullptr &&
      (version->as<std::int64_t>() == nullptr || *version->as<std::int64_t>() != 1)) {
    return fail(ErrorCode::invalid_request, "Not supported version field value");
  }
  const Json* partitions = json->member("partitions");
  const auto* list = partitions == nullptr ? nullptr : partitions->as<Json::Array>();
  if (list == nullptr) return fail(ErrorCode::invalid_request, "Missing partitions field");
  std::map<TopicPartition, Offset> offsets;
  for (const auto& item : *list) {
    const Json* topic = item.member("topic");
    const Json* partition = item.member("partition");
    const Json* offset = item.member("offset");
    const auto* name = topic == nullptr ? nullptr : topic->as<std::string>();
    const auto* index = partition == nullptr ? nullptr : partition->as<std::int64_t>();
    const auto* number = offset == nullptr ? nullptr : offset->as<std::int64_t>();
    if (name == nullptr || index == nullptr || number == nullptr || *index < 0 ||
        *index > INT32_MAX) {
      return fail(ErrorCode::invalid_request,
                  "Each partition needs a topic, a partition and an offset");
    }
    if (!offsets.emplace(TopicPartition{*name, static_cast<std::int32_t>(*index)}, Offset{*number})
             .second) {
      return fail(ErrorCode::invalid_request,
                  fmt::format("Offset json file contains duplicate topic partitions: {}-{}", *name,
                              *index));
    }
  }
  return offsets;
}

env::Task<int> run_deletion(Session session, Console& console,
                            const std::map<TopicPartition, Offset>& offsets) {
  console.out("Executing records delete operation\n");
  client::Admin admin{session.cluster};
  auto outcomes = co_await admin.delete_records(offsets, session.cluster.call_deadline());
  if (!outcomes) {
    console.print_error("{}\n", outcomes.error().message);
    co_return 1;
  }
  console.out("Records delete operation completed:\n");
  for (const auto& [name, outcome] : *outcomes) {
    if (outcome) {
      console.print("partition: {}\tlow_watermark: {}\n", name.to_string(), outcome->value());
    } else {
      console.print("partition: {}\terror: {}\n", name.to_string(),
                    exception_text(outcome.error()));
    }
  }
  co_return 0;
}

}  // namespace

int delete_records(Console& console, const Arguments& arguments) {
  ParsedOptions options;
  if (const auto status =
          begin(console, arguments, delete_records_specs,
                "This tool deletes records of partitions up to an offset.", options)) {
    return *status;
  }
  if (const auto status = check_required(console, delete_records_specs, options,
                                         {"bootstrap-server", "offset-json-file"})) {
    return *status;
  }
  const auto client = cluster_of(options);
  const auto offsets = parse_offsets(*options.value("offset-json-file"));
  if (!client || !offsets) {
    console.print_error("{}\n", !client ? client.error().message : offsets.error().message);
    return 1;
  }
  return run_session(*client, run_deletion, console, *offsets);
}

}  // namespace arus::cli::kafka
