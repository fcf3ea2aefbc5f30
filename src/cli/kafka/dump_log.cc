#include <fmt/core.h>

#include "cli/dump.h"
#include "cli/kafka/command.h"
#include "cli/kafka/programs.h"

namespace arus::cli::kafka {
namespace {

constexpr OptionSpec dump_log_specs[] = {
    {"cluster-metadata-decoder", Takes::nothing, "", "Values are records of the metadata log."},
    {"deep-iteration", Takes::nothing, "", "Show the records inside batches."},
    {"files", Takes::value, "file1,file2", "REQUIRED: files of a log, separated by commas."},
    {"help", Takes::nothing, "", "Print this."},
    {"index-sanity-check", Takes::nothing, "", "Only say whether an index can be used."},
    {"key-decoder-class", Takes::optional_value, "class",
     "Only Kafka's StringDecoder is built in."},
    {"max-bytes", Takes::value, "bytes", "Read at most so much of each log."},
    {"max-message-size", Takes::value, "bytes", "Accepted; records of any size are read."},
    {"offsets-decoder", Takes::nothing, "", "Records are those of __consumer_offsets."},
    {"print-data-log", Takes::nothing, "", "Show keys and values."},
    {"remote-log-metadata-decoder", Takes::nothing, "", "Not built in."},
    {"share-group-state-decoder", Takes::nothing, "", "Records are those of __share_group_state."},
    {"skip-record-metadata", Takes::nothing, "", "Show keys and values alone."},
    {"transaction-log-decoder", Takes::nothing, "", "Records are those of __transaction_state."},
    {"value-decoder-class", Takes::optional_value, "class",
     "Only Kafka's StringDecoder is built in."},
    {"verify-index-only", Takes::nothing, "", "Compare indexes with their logs, print nothing."},
    {"version", Takes::nothing, "", "Print the version."},
};

struct DumpProgram {
  std::vector<std::string> files;
  DumpOptions dump;
};

env::Task<int> run_dump(env::RealEnvironment& environment, Console& console,
                        const DumpProgram& program) {
  int status = 0;
  for (const auto& path : program.files) {
    const auto dumped = dump_file(environment.files(), console, path, program.dump);
    if (dumped) continue;
    console.print_error("{}: {}\n", path, dumped.error().message);
    status = 1;
  }
  co_return status;
}

Result<DumpProgram> dump_log_program(const ParsedOptions& options) {
  DumpProgram program;
  program.files = split_list(*options.value("files"));
  auto& dump = program.dump;
  dump.metadata = options.has("cluster-metadata-decoder");
  if (options.has("offsets-decoder")) dump.coordinator = CoordinatorKind::group;
  if (options.has("transaction-log-decoder")) dump.coordinator = CoordinatorKind::transaction;
  if (options.has("share-group-state-decoder")) dump.coordinator = CoordinatorKind::share;
  for (const std::string_view name : {"key-decoder-class", "value-decoder-class"}) {
    if (const auto decoder = options.value(name); decoder && !decoder->ends_with("StringDecoder")) {
      return fail(ErrorCode::invalid_request,
                  fmt::format("--{} {}: only Kafka's StringDecoder is built in", name, *decoder));
    }
  }
  if (options.has("remote-log-metadata-decoder")) {
    return fail(ErrorCode::invalid_request, "--remote-log-metadata-decoder is not built in");
  }
  dump.print_data = options.has("print-data-log") || dump.metadata || dump.coordinator ||
                    options.has("key-decoder-class") || options.has("value-decoder-class");
  dump.deep = options.has("deep-iteration") || dump.print_data;
  dump.skip_record_metadata = options.has("skip-record-metadata");
  dump.verify_index_only = options.has("verify-index-only");
  dump.index_sanity_check = options.has("index-sanity-check");
  const auto max_bytes = options.number("max-bytes", 0);
  if (!max_bytes) return fail(max_bytes.error());
  if (*max_bytes) dump.max_bytes = **max_bytes;
  return program;
}

}  // namespace

int dump_log(Console& console, const Arguments& arguments) {
  ParsedOptions options;
  constexpr std::string_view summary = "This tool prints what files of a log hold.";
  if (arguments.empty()) return usage_error(console, summary, dump_log_specs);
  if (const auto status = begin(console, arguments, dump_log_specs, summary, options))
    return *status;
  if (const auto status = check_required(console, dump_log_specs, options, {"files"}))
    return *status;
  const auto program = dump_log_program(options);
  if (!program) return usage_error(console, program.error().message, dump_log_specs);
  return run_alone(run_dump, console, *program);
}

}  // namespace arus::cli::kafka
