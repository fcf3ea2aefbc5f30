// `arus verify`: checks stopped log directories, and repairs what can be.
#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "base/json.h"
#include "cli/own.h"
#include "cli/progress.h"
#include "cli/verify_metadata.h"
#include "storage/verify_directory.h"
#include "storage/verify_repair.h"

namespace arus::cli {
namespace {

// Exit statuses, as --help says them.
constexpr int found_nothing = 0;
constexpr int found_something = 1;
constexpr int could_not_check = 2;

using storage::Finding;
using storage::Repair;
using storage::RepairKind;
using storage::Severity;

std::string counted(std::int64_t count, std::string_view noun, std::string_view plural = "s") {
  return fmt::format("{} {}{}", count_text(count), noun, count == 1 ? "" : plural);
}

// One line on a terminal, redrawn now and then.
class VerifyProgress {
 public:
  VerifyProgress(Console& console, env::Environment& environment, bool shown)
      : console_(console),
        environment_(environment),
        shown_(shown),
        began_(environment.clock().now()),
        drawn_(began_) {}

  void show(const storage::VerifyTotals& totals) {
    const env::TimePoint now = environment_.clock().now();
    if (!shown_ || now - drawn_ < Progress::redraw_every) return;
    drawn_ = now;
    console_.print_error("\r\x1b[K{}", text(totals));
    drew_ = true;
  }
  void clear() {
    if (drew_) console_.err("\r\x1b[K");
    drew_ = false;
  }
  [[nodiscard]] std::string text(const storage::VerifyTotals& totals) const {
    const double seconds =
        std::chrono::duration<double>(environment_.clock().now() - began_).count();
    return fmt::format("{}, {}, {} in {}, {} in {:.1f} s", counted(totals.partitions, "partition"),
                       counted(totals.segments, "segment"), counted(totals.records, "record"),
                       counted(totals.batches, "batch", "es"),
                       size_text(static_cast<std::uint64_t>(totals.size_bytes)), seconds);
  }

 private:
  Console& console_;
  env::Environment& environment_;
  const bool shown_;
  const env::TimePoint began_;
  env::TimePoint drawn_;
  bool drew_ = false;
};

void write_finding(JsonWriter& json, const Finding& finding) {
  json.begin_object().key("severity").text(severity_name(finding.severity));
  json.key("file").text(finding.file);
  if (finding.position) json.key("position").number(*finding.position);
  if (finding.offset) json.key("offset").number(finding.offset->value());
  json.key("problem").text(finding.problem).key("at_start").text(finding.at_start);
  if (finding.repair) json.key("repair").text(describe(*finding.repair));
  json.end_object();
}

std::string report_as_json(const storage::VerifyReport& report) {
  JsonWriter json;
  json.begin_object().key("directory").text(report.path);
  json.key("stopped_in_order").boolean(report.clean);
  for (const Severity severity : {Severity::error, Severity::warning, Severity::note}) {
    json.key(std::string(severity_name(severity)) + "s").number(report.count(severity));
  }
  json.key("partitions").number(report.totals.partitions);
  json.key("segments").number(report.totals.segments);
  json.key("size_bytes").number(report.totals.size_bytes);
  json.key("batches").number(report.totals.batches);
  json.key("records").number(report.totals.records);
  json.key("findings").begin_array();
  for (const Finding& finding : report.findings) write_finding(json, finding);
  json.end_array().end_object();
  return json.take();
}

void print_findings(Console& console, const storage::VerifyReport& report, bool notes) {
  for (const Finding& finding : report.findings) {
    if (finding.severity == Severity::note && !notes) continue;
    console.print("{}: {}\n    {}\n", severity_name(finding.severity), place_of(finding),
                  finding.problem);
    if (!finding.at_start.empty()) console.print("    At a start: {}\n", finding.at_start);
  }
}

void print_summary(Console& console, const storage::VerifyReport& report,
                   const VerifyProgress& progress, bool notes) {
  console.print("{}: {}; it was {}.\n", report.path, progress.text(report.totals),
                report.clean ? "stopped in order" : "not stopped in order, a start recovers it");
  const std::int64_t hidden = report.count(Severity::note);
  console.print("{}: {}, {}, {}{}.\n", report.path, counted(report.count(Severity::error), "error"),
                counted(report.count(Severity::warning), "warning"), counted(hidden, "note"),
                hidden > 0 && !notes ? " (--notes shows them)" : "");
}

// What is to be done, each thing once: of a log that is cut, only the first place counts, and
// indexes behind it need nothing.
std::vector<Repair> plan(const storage::VerifyReport& report, bool cut_damaged) {
  std::map<TopicPartition, Repair> cuts;
  std::map<std::string, Repair> others;
  for (const Finding& finding : report.findings) {
    if (!finding.repair) continue;
    const Repair& repair = *finding.repair;
    if (repair.kind != RepairKind::cut_log) {
      others.emplace(fmt::format("{}{}", static_cast<int>(repair.kind), repair.file), repair);
    } else if (cut_damaged) {
      const auto [at, added] = cuts.emplace(repair.partition, repair);
      if (!added && repair.offset < at->second.offset) at->second = repair;
    }
  }
  std::vector<Repair> planned;
  for (const auto& [key, repair] : others) {
    const auto cut = cuts.find(repair.partition);
    const bool goes = repair.kind == RepairKind::rebuild_indexes && cut != cuts.end() &&
                      repair.segment >= cut->second.segment;
    if (!goes) planned.push_back(repair);
  }
  for (const auto& [partition, repair] : cuts) planned.push_back(repair);
  return planned;
}

// One directory under check.
class VerifiedDirectory {
 public:
  VerifiedDirectory(env::RealEnvironment& environment, Console& console,
                    const VerifyCommandOptions& options,
                    std::unique_ptr<storage::DirectoryCheck> check, const bool& stopping)
      : environment_(environment),
        console_(console),
        options_(options),
        check_(std::move(check)),
        stopping_(stopping) {}

  [[nodiscard]] const storage::DirectoryCheck& check() const { return *check_; }

  env::Task<int> run(const MetadataRead& metadata, bool has_metadata) {
    std::optional<storage::ExpectedPartitions> expected;
    if (metadata.image != nullptr && check_->identity()) {
      expected = expected_partitions(*metadata.image, *check_->identity());
    }
    co_await look(expected, has_metadata ? metadata.findings : std::vector<Finding>{});
    if (stopping_) {
      console_.print_error("arus: interrupted, not everything was checked\n");
      co_return could_not_check;
    }
    if (!options_.repair) co_return status();
    const std::vector<Repair> planned = plan(check_->report(), options_.cut_damaged);
    if (planned.empty()) {
      console_.print_error("{}: there is nothing to repair{}.\n", check_->path(),
                           cut_hint(planned));
      co_return status();
    }
    if (!co_await agree(planned)) co_return status();
    for (const Repair& repair : planned) {
      const auto applied = co_await env::run_on(environment_.pool(), [this, &repair] {
        return storage::apply_repair(environment_.files(), check_->path(), repair);
      });
      if (!applied) {
        report(console_, applied.error());
        co_return could_not_check;
      }
    }
    console_.print_error("{}: repaired; checked again:\n", check_->path());
    co_await look(expected, has_metadata ? metadata.findings : std::vector<Finding>{});
    co_return status();
  }

 private:
  env::Task<void> look(const std::optional<storage::ExpectedPartitions>& expected,
                       std::vector<Finding> more) {
    VerifyProgress progress(console_, environment_, !options_.quiet && console_.err_is_terminal());
    co_await check_->run({.topics = options_.topics,
                          .decode = !options_.no_records,
                          .at_once = static_cast<std::size_t>(options_.jobs)},
                         expected ? &*expected : nullptr,
                         [this, &progress](const storage::VerifyTotals& totals) {
                           progress.show(totals);
                           return !stopping_ && !console_.broken();
                         });
    progress.clear();
    if (options_.topics.empty()) {
      for (Finding& finding : more) check_->add(std::move(finding));
    }
    if (options_.json) {
      console_.print("{}\n", report_as_json(check_->report()));
      co_return;
    }
    print_findings(console_, check_->report(), options_.notes);
    print_summary(console_, check_->report(), progress, options_.notes);
  }

  [[nodiscard]] int status() const {
    const storage::VerifyReport& report = check_->report();
    const bool clean = report.count(Severity::error) == 0 && report.count(Severity::warning) == 0;
    return clean ? found_nothing : found_something;
  }

  [[nodiscard]] std::string cut_hint(const std::vector<Repair>& planned) const {
    const bool may_cut = std::ranges::any_of(check_->report().findings, [](const Finding& finding) {
      return finding.repair && finding.repair->kind == RepairKind::cut_log;
    });
    const bool cuts =
        std::ranges::find(planned, RepairKind::cut_log, &Repair::kind) != planned.end();
    return may_cut && !cuts ? " without --cut-damaged, which ends logs before damage" : "";
  }

  env::Task<bool> agree(const std::vector<Repair>& planned) {
    console_.print_error("{}: a repair would\n", check_->path());
    for (const Repair& repair : planned) console_.print_error("  - {}\n", describe(repair));
    const std::string hint = cut_hint(planned);
    if (!hint.empty()) console_.print_error("and leave damage in place{}.\n", hint);
    if (options_.yes) co_return true;
    if (!console_.in_is_terminal()) {
      console_.err(
          "Nothing was changed: there is no terminal to ask on; --yes agrees beforehand.\n");
      co_return false;
    }
    console_.err("Change this? [y/N] ");
    LineInput input(environment_, 0, stopping_);
    const auto lines = co_await input.next();
    const bool yes = lines && !lines->empty() && (lines->front() == "y" || lines->front() == "yes");
    if (!yes) console_.err("Nothing was changed.\n");
    co_return yes;
  }

  env::RealEnvironment& environment_;
  Console& console_;
  const VerifyCommandOptions& options_;
  const std::unique_ptr<storage::DirectoryCheck> check_;
  const bool& stopping_;
};

env::Task<int> run_verify(env::RealEnvironment& environment, Console& console,
                          const VerifyCommandOptions& options) {
  const StopSignal signal{environment};
  std::vector<std::string> paths = options.directories;
  for (std::string& path : paths) {
    while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  }
  std::vector<std::unique_ptr<VerifiedDirectory>> directories;
  for (const std::string& path : paths) {
    auto check = storage::DirectoryCheck::open(environment, path);
    if (!check) {
      report(console, check.error());
      co_return could_not_check;
    }
    directories.push_back(std::make_unique<VerifiedDirectory>(environment, console, options,
                                                              std::move(*check), *signal.stopping));
  }
  // One of a node's directories has the metadata for all.
  MetadataRead metadata;
  std::string read_from;
  for (const std::string& path : paths) {
    auto read = co_await env::run_on(environment.pool(), [&environment, &path] {
      return read_metadata(environment.files(), path);
    });
    if (read.image == nullptr && read.findings.empty()) continue;
    metadata = std::move(read);
    read_from = path;
    break;
  }
  int status = found_nothing;
  for (const auto& directory : directories) {
    const bool has_metadata = directory->check().path() == read_from;
    status = std::max(status, co_await directory->run(metadata, has_metadata));
    if (*signal.stopping) break;
  }
  co_return status;
}

}  // namespace

int verify_directories(Console& console, const VerifyCommandOptions& options) {
  auto environment =
      env::make_real_environment({.pool_threads = static_cast<std::size_t>(options.jobs)});
  return env::run_until_done(*environment, run_verify(*environment, console, options));
}

}  // namespace arus::cli
