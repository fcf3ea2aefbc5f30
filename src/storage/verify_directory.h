// Checks a log directory that no server uses: `arus verify`.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "env/environment.h"
#include "env/task.h"
#include "storage/commit_log_reader.h"
#include "storage/directory_identity.h"
#include "storage/log_host.h"
#include "storage/verify.h"
#include "storage/verify_partition.h"

namespace arus::storage {

// What the cluster's metadata says of this directory, where somebody can read it.
struct ExpectedPartitions {
  std::map<TopicPartition, Uuid> assigned;   // to this node
  std::map<std::string, Uuid> topics;        // all
  std::optional<BrokerRegistration> newest;  // of this node
};

struct VerifyOptions {
  std::vector<std::string> topics;  // only these, and nothing beside partitions; all without any
  bool decode = true;
  std::size_t at_once = 2;  // partitions, on the pool
};

struct VerifyReport {
  std::string path;
  bool clean = false;  // the last stop was orderly
  std::vector<Finding> findings;
  VerifyTotals totals;
  [[nodiscard]] std::int64_t count(Severity severity) const;
};

// Holds the directory's `.lock` while it lives, and changes nothing else. Owner: one loop.
class DirectoryCheck {
 public:
  // An error, in a sentence, when a server has the directory or it is none. Blocking.
  static Result<std::unique_ptr<DirectoryCheck>> open(env::Environment& environment,
                                                      const std::string& path);

  [[nodiscard]] const std::optional<DirectoryIdentity>& identity() const { return identity_; }
  [[nodiscard]] const std::string& path() const { return report_.path; }
  // Goes through everything, anew each time; `progress` is told what was read, now and then. Ends
  // early when it says false.
  env::Task<void> run(const VerifyOptions& options, const ExpectedPartitions* expected,
                      std::function<bool(const VerifyTotals&)> progress);
  [[nodiscard]] const VerifyReport& report() const { return report_; }
  void add(Finding finding) { report_.findings.push_back(std::move(finding)); }

 private:
  DirectoryCheck(env::Environment& environment, std::string path)
      : environment_(environment), files_(environment.files()) {
    report_.path = std::move(path);
  }
  Result<> read_identity();
  Result<> look_around(const VerifyOptions& options, const ExpectedPartitions* expected);
  void read_marker();
  void read_checkpoints();
  void read_checkpoint(std::string_view name, const char* at_start,
                       const std::function<void(const TopicPartition&, Offset)>& take);
  Result<> read_commit_log(const ExpectedPartitions* expected);
  void note_entry(const env::DirectoryEntry& entry, const VerifyOptions& options,
                  const ExpectedPartitions* expected);
  void add_partition(const std::string& path, const TopicPartition& name,
                     const VerifyOptions& options, const ExpectedPartitions* expected);
  void find_missing(const VerifyOptions& options, const ExpectedPartitions* expected);
  void check_bootstrap(const std::string& path);
  env::Task<void> run_some();

  env::Environment& environment_;
  env::FileSystem& files_;
  std::unique_ptr<env::FileLock> lock_;
  std::optional<DirectoryIdentity> identity_;
  VerifyReport report_;

  std::map<TopicPartition, LogOffsets> checkpoints_;
  std::map<TopicPartition, bool> has_recovery_point_;
  bool cleaning_known_ = true;
  FoundCommitLog commit_log_;
  std::vector<PartitionToCheck> work_;  // the last first
  std::function<bool(const VerifyTotals&)> progress_;
  bool stopped_ = false;
};

}  // namespace arus::storage
