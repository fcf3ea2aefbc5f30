#include "raft/core/core.h"

#include "raft/core/control_records.h"

namespace arus::raft {
namespace {

Bytes from_hex(std::string_view text) {
  Bytes bytes;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    bytes.push_back(
        static_cast<std::uint8_t>(std::stoi(std::string(text.substr(i, 2)), nullptr, 16)));
  }
  return bytes;
}

const Uuid voter_directory = *Uuid::parse("2kpfEfllSoy0UMUfJ4LpBw");

Start sole_voter() {
  return {.id = 1,
          .directory_id = voter_directory,
          .kraft_version = 1,
          .voters = {{Voter{.id = 1, .directory_id = voter_directory}}}};
}

TEST(Core, SoleVoterLeadsTheNextEpochOnceItsVoteIsPersisted) {
  Start start = sole_voter();
  start.persisted = ElectionState{.epoch = LeaderEpoch{4}, .leader_id = 1};
  start.log_end = Offset{10};
  start.log_epoch = LeaderEpoch{4};
  Core core(start);
  const auto effects = core.start();
  ASSERT_TRUE(effects);
  EXPECT_EQ(effects->persist, (ElectionState{.epoch = LeaderEpoch{5}, .leader_id = 1}));
  EXPECT_FALSE(effects->lead);
  EXPECT_EQ(core.role(), Role::unattached);
  EXPECT_EQ(core.persisted(*effects->persist).lead, LeaderEpoch{5});
  EXPECT_EQ(core.role(), Role::leader);
}

TEST(Core, EpochOfTheLogCountsWhereTheVoteIsOlder) {
  Start start = sole_voter();
  start.persisted = ElectionState{.epoch = LeaderEpoch{2}};
  start.log_epoch = LeaderEpoch{7};
  EXPECT_EQ(Core(start).start()->persist->epoch, LeaderEpoch{8});
}

TEST(Core, NothingIsCommittedBeforeARecordOfTheEpochIsDurable) {
  Start start = sole_voter();
  start.log_end = Offset{10};
  Core core(start);
  static_cast<void>(core.persisted(*core.start()->persist));
  core.appended(Offset{11});
  EXPECT_FALSE(core.flushed(Offset{10}).high_watermark);
  EXPECT_EQ(core.flushed(Offset{11}).high_watermark, Offset{11});
  EXPECT_FALSE(core.flushed(Offset{11}).high_watermark);
  core.appended(Offset{20});
  core.retreat(Offset{15});
  EXPECT_EQ(core.flushed(Offset{18}).high_watermark, Offset{15});
}

TEST(Core, OtherVotersOrAForeignDirectoryAreRefused) {
  Start several = sole_voter();
  several.voters.voters.push_back(Voter{.id = 2});
  EXPECT_EQ(Core(several).start().error().code, ErrorCode::unsupported_version);
  Start stranger = sole_voter();
  stranger.id = 3;
  EXPECT_EQ(Core(stranger).start().error().code, ErrorCode::inconsistent_voter_set);
  Start moved = sole_voter();
  moved.directory_id = Uuid::of_halves(7, 7);
  EXPECT_EQ(Core(moved).start().error().code, ErrorCode::inconsistent_voter_set);
}

TEST(QuorumState, BothVersionsReadAndWriteAsKafkaDoes) {
  const std::string v0 =
      R"({"clusterId":"","leaderId":1,"leaderEpoch":1,"votedId":-1,"appliedOffset":0,)"
      R"("currentVoters":[{"voterId":1}],"data_version":0})";
  const std::string v1 = R"({"leaderId":1,"leaderEpoch":1,"votedId":-1,)"
                         R"("votedDirectoryId":"AAAAAAAAAAAAAAAAAAAAAA","data_version":1})";
  const ElectionState state{.epoch = LeaderEpoch{1}, .leader_id = 1};
  EXPECT_EQ(format_quorum_state(state, 0, {1}), v0);
  EXPECT_EQ(format_quorum_state(state, 1, {1}), v1);
  EXPECT_EQ(*parse_quorum_state(v0), state);
  EXPECT_EQ(*parse_quorum_state(v1), state);
}

TEST(QuorumState, DamageIsAnErrorNotADefault) {
  for (const char* text : {"", "{", "{}", R"({"leaderId":1})", "[1]",
                           R"({"leaderId":1,"leaderEpoch":-4,"votedId":-1,"data_version":0})",
                           R"({"leaderId":1,"leaderEpoch":1,"votedId":-1,"data_version":9})",
                           R"({"leaderId":x,"leaderEpoch":1,"votedId":-1,"data_version":1})"}) {
    EXPECT_FALSE(parse_quorum_state(text)) << text;
  }
}

TEST(ControlRecords, BytesAreThoseOfKafka) {
  EXPECT_EQ(encode_leader_change({.leader_id = 1, .voters = {1}, .granting_voters = {1}}),
            from_hex("00000000000102000000010002000000010000"));
  EXPECT_EQ(encode_kraft_version(1), from_hex("0000000100"));
  EXPECT_EQ(encode_snapshot_header(1795444885843), from_hex("0000000001a208dac95300"));
  EXPECT_EQ(encode_snapshot_footer(), from_hex("000000"));
  const Bytes voters = from_hex(
      "00000200000001da4a5f11f9654a8cb450c51f2782e907020b434f4e54524f4c4c45520a3132372e302e302e3198"
      "b90000000001000000");
  const VoterSet set{{Voter{.id = 1,
                            .directory_id = voter_directory,
                            .endpoints = {{"CONTROLLER", "127.0.0.1", 39097}},
                            .min_kraft_version = 0,
                            .max_kraft_version = 1}}};
  EXPECT_EQ(encode_voters(set), voters);
  EXPECT_EQ(decode_voters(voters), set);
}

TEST(ControlRecords, EveryShortenedBodyIsRefused) {
  const VoterSet set{
      {Voter{.id = 1, .directory_id = voter_directory, .endpoints = {{"C", "h", 1}}}}};
  const Bytes whole = encode_voters(set);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(decode_voters(ByteView(whole).first(size))) << size;
  }
  Bytes huge = whole;
  huge[2] = 0xff;  // a count of voters that the bytes cannot hold
  EXPECT_FALSE(decode_voters(huge));
}

}  // namespace
}  // namespace arus::raft
