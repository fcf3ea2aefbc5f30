// What a start makes of an exchange of segments that somebody began, Apache Kafka included.
#include "storage/segment_swap.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "env/simulated.h"
#include "env/simulated/disk.h"
#include "storage/file_names.h"
#include "storage/log_testing.h"
#include "storage/segment_files.h"

namespace arus::storage {
namespace {

constexpr const char* folder = "/data/topic-0";

class SegmentSwapTest : public testing::Test {
 protected:
  SegmentSwapTest() : simulation_({.seed = 5}), disk_(simulation_.make_disk()) {
    set_log_level("storage", LogLevel::off);
    EXPECT_TRUE(disk_->create_directories(folder));
  }
  void write(const std::string& name, ByteView bytes) {
    auto file = disk_->open(std::string(folder) + "/" + name, env::OpenMode::create);
    EXPECT_TRUE((*file)->truncate(0));
    if (!bytes.empty()) EXPECT_TRUE((*file)->write_at(bytes, 0));
  }
  void write_log(const std::string& name, std::int64_t first, std::int64_t last) {
    record::BatchBuilder builder({.base_offset = Offset{first},
                                  .last_offset_delta = static_cast<std::int32_t>(last - first)});
    builder.append(1, as_bytes("k"), as_bytes(name));
    write(name, builder.build());
  }
  [[nodiscard]] std::string text(const std::string& name) {
    const auto bytes = disk_->read_file(std::string(folder) + "/" + name);
    return bytes ? std::string(as_text(*bytes)) : "absent";
  }
  // What is left after a start, and after one more that finds nothing to do.
  std::vector<std::string> recover() {
    EXPECT_TRUE(collect_partition_files(*disk_, folder));
    const auto entries = disk_->list(folder);
    EXPECT_FALSE(*recover_swaps(*disk_, folder, *entries));
    std::vector<std::string> names;
    for (const auto& entry : *entries) names.push_back(entry.name);
    std::ranges::sort(names);
    return names;
  }
  static std::string name(int base, std::string_view rest) {
    return segment_file_name(Offset{base}, rest);
  }

  env::Simulation simulation_;
  std::shared_ptr<env::SimulatedDisk> disk_;
};

using Names = std::vector<std::string>;

TEST_F(SegmentSwapTest, ARoundThatWasNotFinishedLeavesNothing) {
  write_log(name(0, ".log"), 0, 9);
  write(name(0, ".index"), {});
  write_log(name(0, ".log.cleaned"), 0, 9);
  write(name(0, ".index.swap"), as_bytes("new"));
  write(name(0, ".timeindex.cleaned"), as_bytes("new"));
  EXPECT_EQ(recover(), (Names{name(0, ".index"), name(0, ".log")}));
  EXPECT_EQ(text(name(0, ".index")), "");
}

TEST_F(SegmentSwapTest, AStagedSegmentTakesThePlaceOfAllThatItStandsFor) {
  write_log(name(0, ".log"), 0, 9);
  write(name(0, ".index"), as_bytes("old"));
  write(name(0, ".txnindex"), as_bytes("old"));
  write_log(name(10, ".log"), 10, 19);
  write(name(10, ".index"), as_bytes("old"));
  write_log(name(20, ".log"), 20, 29);
  write(name(20, ".index"), as_bytes("stays"));
  write_log(name(0, ".log.swap"), 0, 19);
  write(name(0, ".index.swap"), as_bytes("new"));
  write(name(0, ".timeindex.swap"), as_bytes("new"));
  const std::string swapped = text(name(0, ".log.swap"));
  EXPECT_EQ(recover(), (Names{name(0, ".index"), name(0, ".log"), name(0, ".timeindex"),
                              name(20, ".index"), name(20, ".log")}));
  EXPECT_EQ(text(name(0, ".log")), swapped);
  EXPECT_EQ(text(name(0, ".index")), "new");
  EXPECT_EQ(text(name(20, ".index")), "stays");
}

// Kafka gives the log its final name before the indexes.
TEST_F(SegmentSwapTest, IndexesOfASegmentThatHasItsNameFollow) {
  write_log(name(0, ".log"), 0, 19);
  write(name(0, ".index.swap"), as_bytes("new"));
  write(name(0, ".timeindex"), as_bytes("new"));
  write(name(0, ".txnindex.swap"), as_bytes("new"));
  write_log(name(10, ".log.deleted"), 10, 19);
  EXPECT_EQ(recover(), (Names{name(0, ".index"), name(0, ".log"), name(0, ".timeindex"),
                              name(0, ".txnindex")}));
  EXPECT_EQ(text(name(0, ".index")), "new");
}

// Kafka splits a segment that overflows into several, which are renamed one after the other.
TEST_F(SegmentSwapTest, SeveralStagedSegmentsCountOnlyWhenAllAreStaged) {
  write_log(name(0, ".log"), 0, 29);
  write_log(name(0, ".log.swap"), 0, 9);
  write_log(name(10, ".log.swap"), 10, 29);
  EXPECT_EQ(recover(), (Names{name(0, ".log"), name(10, ".log")}));
  write_log(name(30, ".log"), 30, 59);
  write_log(name(30, ".log.cleaned"), 30, 39);
  write_log(name(40, ".log.swap"), 40, 59);
  EXPECT_EQ(recover(), (Names{name(0, ".log"), name(10, ".log"), name(30, ".log")}));
}

TEST_F(SegmentSwapTest, AFailureBeforeItCountsLeavesTheLogAsItWas) {
  write_log(name(0, ".log"), 0, 9);
  write_log(name(0, ".log.cleaned"), 0, 9);
  write(name(0, ".index.cleaned"), {});
  disk_->set_fault_hook([](const env::FileOperation& operation) {
    const bool hit = operation.act == env::FileAct::rename &&
                     operation.path.find(".log.cleaned") != std::string::npos;
    return env::FileFault{.os_error = hit ? 28 : 0};
  });
  bool committed = false;
  EXPECT_FALSE(stage_swap(*disk_, folder, Offset{0}, committed));
  EXPECT_FALSE(committed);
  disk_->set_fault_hook({});
  EXPECT_EQ(recover(), (Names{name(0, ".log")}));
}

TEST_F(SegmentSwapTest, AFailureThatCannotBeTakenBackIsSaid) {
  write_log(name(0, ".log"), 0, 9);
  write_log(name(0, ".log.cleaned"), 0, 9);
  int syncs = 0;
  disk_->set_fault_hook([&syncs](const env::FileOperation& operation) {
    const bool hit = operation.act == env::FileAct::sync_directory && ++syncs > 1;
    return env::FileFault{.os_error = hit ? 5 : 0};
  });
  bool committed = false;
  EXPECT_FALSE(stage_swap(*disk_, folder, Offset{0}, committed));
  EXPECT_TRUE(committed);
}

}  // namespace
}  // namespace arus::storage
