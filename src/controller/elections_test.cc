#include "controller/elections.h"

#include "controller/acls.h"
#include "controller/decision_testing.h"
#include "controller/feature_updates.h"
#include "controller/partition_change.h"
#include "controller/quotas.h"

namespace arus::controller {
namespace {

std::vector<BrokerId> ids(std::initializer_list<std::int32_t> numbers) {
  std::vector<BrokerId> list;
  for (const std::int32_t number : numbers) list.emplace_back(number);
  return list;
}

metadata::PartitionImage partition(std::initializer_list<std::int32_t> replicas,
                                   std::initializer_list<std::int32_t> isr, std::int32_t leader) {
  metadata::PartitionImage made;
  made.replicas = ids(replicas);
  made.isr = ids(isr);
  made.leader = BrokerId{leader};
  return made;
}

PartitionSurroundings alive(std::set<std::int32_t> brokers, bool elr = true,
                            std::int32_t min_insync = 1) {
  return {.min_insync_replicas = min_insync,
          .elr_enabled = elr,
          .can_lead = [brokers = std::move(brokers)](BrokerId id) {
            return brokers.contains(id.value());
          }};
}

TEST(PartitionChange, TheNextReplicaInSyncFollowsALeaderThatLeaves) {
  const auto current = partition({1, 2, 3}, {1, 2, 3}, 1);
  const auto world = alive({2, 3});
  const auto record = PartitionChange(Uuid{}, 0, current, world).without(BrokerId{1}).build();
  ASSERT_TRUE(record);
  EXPECT_EQ(record->leader, BrokerId{2});
  EXPECT_EQ(record->isr, ids({2, 3}));
  EXPECT_FALSE(record->eligible_leader_replicas);
}

TEST(PartitionChange, TheLastInSyncIsRememberedWithElrAndStaysWithout) {
  const auto current = partition({1}, {1}, 1);
  const auto nobody = alive({});
  const auto record = PartitionChange(Uuid{}, 0, current, nobody).without(BrokerId{1}).build();
  EXPECT_EQ(record->leader, no_broker);
  EXPECT_EQ(record->isr, ids({}));
  EXPECT_EQ(record->eligible_leader_replicas, ids({1}));
  EXPECT_EQ(record->last_known_elr, ids({1}));
  const auto old = alive({}, false);
  const auto without = PartitionChange(Uuid{}, 0, current, old).without(BrokerId{1}).build();
  EXPECT_EQ(without->leader, no_broker);
  EXPECT_FALSE(without->isr);
}

TEST(PartitionChange, BelowMinInsyncTheElrGrows) {
  const auto current = partition({1, 2, 3}, {1, 2}, 1);
  const auto world = alive({1, 3}, true, 2);
  const auto record = PartitionChange(Uuid{}, 0, current, world).without(BrokerId{2}).build();
  EXPECT_EQ(record->isr, ids({1}));
  EXPECT_EQ(record->eligible_leader_replicas, ids({2}));
  EXPECT_EQ(record->leader, BrokerId{-2});
}

TEST(PartitionChange, AnUncleanShutdownElectsTheLastLeaderAndSaysSo) {
  auto current = partition({1}, {}, -1);
  current.elr = ids({1});
  current.last_known_elr = ids({1});
  const auto world = alive({1});
  const auto clean = PartitionChange(Uuid{}, 0, current, world).build();
  EXPECT_EQ(clean->leader, BrokerId{1});
  EXPECT_EQ(clean->leader_recovery_state, -1);
  EXPECT_EQ(clean->eligible_leader_replicas, ids({}));
  EXPECT_EQ(clean->last_known_elr, ids({}));
  const auto unclean =
      PartitionChange(Uuid{}, 0, current, world).unclean_shutdown({BrokerId{1}}).build();
  EXPECT_EQ(unclean->leader, BrokerId{1});
  EXPECT_EQ(unclean->isr, ids({1}));
  EXPECT_EQ(unclean->leader_recovery_state, 1);
  EXPECT_EQ(unclean->last_known_elr, ids({}));
}

TEST(PartitionChange, NobodyOutOfSyncLeadsUnlessItMay) {
  const auto current = partition({1, 2}, {1}, 1);
  const auto world = alive({2}, false);
  const auto clean = PartitionChange(Uuid{}, 0, current, world).without(BrokerId{1}).build();
  EXPECT_EQ(clean->leader, no_broker);
  const auto unclean = PartitionChange(Uuid{}, 0, current, world)
                           .without(BrokerId{1})
                           .election(Election::unclean)
                           .build();
  EXPECT_EQ(unclean->leader, BrokerId{2});
  EXPECT_EQ(unclean->isr, ids({2}));
  EXPECT_EQ(unclean->leader_recovery_state, 1);
}

TEST(PartitionChange, NothingToChangeIsNoRecordUnlessTheEpochIsRaised) {
  const auto current = partition({1}, {1}, 1);
  const auto world = alive({1});
  EXPECT_FALSE(PartitionChange(Uuid{}, 0, current, world).build());
  const auto raised = PartitionChange(Uuid{}, 0, current, world).raise_epoch().build();
  ASSERT_TRUE(raised);
  EXPECT_EQ(raised->leader, BrokerId{1});
  EXPECT_FALSE(raised->isr);
}

TEST(Elections, WhatNeedsNoneSaysSo) {
  DecisionWorld world;
  world.add_topic("t", {{1}});
  const auto elect = [&](std::int8_t type, const std::string& topic, std::int32_t index) {
    protocol::ElectLeadersRequest request;
    request.election_type = type;
    request.topic_partitions = {{{.topic = topic, .partitions = {index}}}};
    return world.perform(elect_leaders, request)
        .replica_election_results.front()
        .partition_result.front();
  };
  EXPECT_EQ(elect(0, "t", 0).error_code, ErrorCode::election_not_needed);
  EXPECT_EQ(elect(1, "t", 0).error_message, "Leader election not needed for topic partition.");
  EXPECT_EQ(elect(0, "no", 0).error_message, "No such topic as no");
  EXPECT_EQ(elect(0, "t", -1).error_message, "No such partition as t--1");
  EXPECT_EQ(elect(5, "t", 0).error_message, "Unknown election type 5");
}

TEST(Elections, ThePreferredReplicaLeadsAgain) {
  DecisionWorld world;
  world.add_broker(2);
  world.add_topic("t", {{1, 2}});
  protocol::PartitionChangeRecord moved;
  moved.topic_id = world.image->topic("t")->id;
  moved.partition_id = 0;
  moved.leader = BrokerId{2};
  world.apply({moved});
  protocol::ElectLeadersRequest request;
  request.topic_partitions.reset();
  const auto answer = world.perform(elect_leaders, request);
  EXPECT_EQ(answer.replica_election_results.front().partition_result.front().error_code,
            ErrorCode::none);
  EXPECT_EQ(world.image->topic("t")->partitions[0]->leader, BrokerId{1});
}

TEST(Reassignments, AloneOnlyToItself) {
  DecisionWorld world;
  world.add_topic("t", {{1}});
  const auto reassign = [&](const std::string& topic, std::int32_t index,
                            std::optional<std::vector<BrokerId>> replicas) {
    protocol::AlterPartitionReassignmentsRequest request;
    request.topics.push_back({.name = topic});
    request.topics.back().partitions.push_back(
        {.partition_index = index, .replicas = std::move(replicas)});
    return world.perform(alter_partition_reassignments, request)
        .responses.front()
        .partitions.front();
  };
  EXPECT_EQ(reassign("t", 0, ids({1})).error_code, ErrorCode::none);
  EXPECT_EQ(world.written, 0U);
  EXPECT_EQ(reassign("t", 0, ids({2})).error_code, ErrorCode::invalid_replica_assignment);
  EXPECT_EQ(reassign("t", 0, ids({})).error_message,
            "The manual partition assignment includes an empty replica list.");
  EXPECT_EQ(reassign("t", 0, std::nullopt).error_code, ErrorCode::no_reassignment_in_progress);
  EXPECT_EQ(reassign("no", 0, ids({1})).error_message, "Unable to find a topic named no.");
  protocol::ListPartitionReassignmentsRequest list;
  EXPECT_TRUE(world.perform(list_partition_reassignments, list).topics.empty());
}

TEST(Reassignments, MovingAndTakingItBack) {
  DecisionWorld world;
  world.add_broker(2);
  world.add_topic("t", {{1}});
  protocol::AlterPartitionReassignmentsRequest request;
  request.topics.push_back({.name = "t"});
  request.topics.back().partitions.push_back({.partition_index = 0, .replicas = ids({2})});
  world.perform(alter_partition_reassignments, request);
  EXPECT_EQ(world.image->topic("t")->partitions[0]->adding, ids({2}));
  EXPECT_EQ(world.image->topic("t")->partitions[0]->removing, ids({1}));
  EXPECT_EQ(world.image->topic("t")->partitions[0]->replicas, ids({2, 1}));
  EXPECT_EQ(world.perform(list_partition_reassignments, {.topics = std::nullopt}).topics.size(),
            1U);
  request.topics.back().partitions.back().replicas.reset();
  world.perform(alter_partition_reassignments, request);
  EXPECT_EQ(world.image->topic("t")->partitions[0]->replicas, ids({1}));
  EXPECT_TRUE(world.image->topic("t")->partitions[0]->adding.empty());
}

TEST(UnregisterBroker, LeavesEveryIsrFirst) {
  DecisionWorld world;
  world.add_broker(2);
  world.add_topic("t", {{2, 1}});
  world.perform(unregister_broker, {.broker_id = BrokerId{2}});
  EXPECT_EQ(world.image->broker(BrokerId{2}), nullptr);
  EXPECT_EQ(world.image->topic("t")->partitions[0]->leader, BrokerId{1});
  EXPECT_EQ(unregister_broker(world.context(), {.broker_id = BrokerId{9}}).error().message,
            "Broker ID 9 is not currently registered");
  EXPECT_FALSE(unregister_broker(world.context(), {.broker_id = BrokerId{1}}));
}

// What Kafka 4.3.1 answered to the same updates.
TEST(UpdateFeatures, SaysWhyInKafkasWords) {
  struct Case {
    std::string feature;
    std::int16_t level;
    std::int8_t type;
    std::string reason;  // empty: it is done
  };
  const std::vector<Case> cases{
      {"foo", 1, 1,
       "Invalid update version 1 for feature foo. Local controller 1 does not support this "
       "feature."},
      {"group.version", 0, 1,
       "Invalid update version 0 for feature group.version. Can't downgrade the version of this "
       "feature without setting the upgrade type to either safe or unsafe downgrade."},
      {"group.version", 7, 1,
       "Invalid update version 7 for feature group.version. Local controller 1 only supports "
       "versions 0-1"},
      {"metadata.version", 25, 2,
       "Unsupported metadata.version downgrade from 30 to 25. Refusing to perform the requested "
       "downgrade because it might delete metadata information."},
      {"metadata.version", 25, 3,
       "Unsupported metadata.version downgrade from 30 to 25. Unsafe metadata downgrade is not "
       "supported in this version."},
      {"metadata.version", 31, 1,
       "Invalid update version 31 for feature metadata.version. Local controller 1 only supports "
       "versions 7-30"},
      {"metadata.version", 30, 1, ""},
      {"kraft.version", 0, 2,
       "Invalid update version 0 for feature kraft.version. Can't downgrade the version of this "
       "feature."},
      {"kraft.version", 1, 1, ""},
      {"transaction.version", 1, 2, ""},
      {"group.version", 1, 0,
       "Invalid update version 1 for feature group.version. The controller does not support the "
       "given upgrade type."},
      {"group.version", -1, 2,
       "Invalid update version -1 for feature group.version. A feature version cannot be less than "
       "0."},
  };
  for (const Case& one : cases) {
    DecisionWorld world;
    protocol::UpdateFeaturesRequest request;
    request.feature_updates = {
        {.feature = one.feature, .max_version_level = one.level, .upgrade_type = one.type}};
    request.validate_only = true;
    const auto answer = world.perform(update_features, request);
    EXPECT_EQ(world.written, 0U);
    if (one.reason.empty()) {
      EXPECT_EQ(answer.error_code, ErrorCode::none) << one.feature;
      EXPECT_EQ(answer.results.front().error_message, "NONE");
    } else {
      EXPECT_EQ(answer.error_code, ErrorCode::invalid_update_version);
      EXPECT_EQ(answer.error_message,
                "The update failed for all features since the following feature had an error: " +
                    one.reason);
      EXPECT_TRUE(answer.results.empty());
    }
  }
}

TEST(UpdateFeatures, AllOrNothing) {
  DecisionWorld world;
  protocol::UpdateFeaturesRequest request;
  request.feature_updates = {
      {.feature = "group.version", .max_version_level = 0, .upgrade_type = 2},
      {.feature = "foo", .max_version_level = 1}};
  world.perform(update_features, request);
  EXPECT_EQ(world.image->feature_level("group.version"), 1);
  request.feature_updates.pop_back();
  world.perform(update_features, request);
  EXPECT_EQ(world.image->feature_level("group.version"), std::nullopt);
}

TEST(Quotas, AnswersAsKafkaDoes) {
  DecisionWorld world;
  using Parts = std::vector<std::pair<std::string, std::optional<std::string>>>;
  const auto alter = [&](const Parts& entity, const std::string& key, double value,
                         bool remove = false) {
    protocol::AlterClientQuotasRequest request;
    auto& entry = request.entries.emplace_back();
    for (const auto& [type, name] : entity) {
      entry.entity.push_back({.entity_type = type, .entity_name = name});
    }
    entry.ops.push_back({.key = key, .value = value, .remove = remove});
    return world.perform(alter_client_quotas, request).entries.front().error_message.value_or("");
  };
  EXPECT_EQ(alter({{"user", "u"}}, "producer_byte_rate", 1000), "");
  EXPECT_EQ(alter({{"user", "u"}}, "foo", 1), "Invalid configuration key foo");
  EXPECT_EQ(alter({{"xx", "u"}}, "producer_byte_rate", 1),
            "Unhandled client quota entity type: xx");
  EXPECT_EQ(alter({{"user", "u"}}, "producer_byte_rate", 0),
            "Quota producer_byte_rate must be greater than 0");
  EXPECT_EQ(alter({{"user", "u"}}, "producer_byte_rate", 1.5),
            "producer_byte_rate cannot be a fractional value.");
  EXPECT_EQ(alter({{"ip", "1.2.3.4"}}, "producer_byte_rate", 5),
            "Invalid configuration key producer_byte_rate");
  EXPECT_EQ(alter({}, "producer_byte_rate", 5), "Invalid empty client quota entity");
  EXPECT_EQ(alter({{"user", ""}}, "producer_byte_rate", 5), "Empty user not supported");
  EXPECT_EQ(alter({{"user", std::nullopt}}, "request_percentage", 50.5), "");
  EXPECT_EQ(world.image->retained->quotas->size(), 2U);
  EXPECT_EQ(alter({{"user", "u"}}, "producer_byte_rate", 0, true), "");
  EXPECT_EQ(world.image->retained->quotas->size(), 1U);
}

TEST(ScramCredentials, AnswersAsKafkaDoes) {
  DecisionWorld world;
  using Request = protocol::AlterUserScramCredentialsRequest;
  const auto up = [](const std::string& name, std::int8_t mechanism, std::int32_t iterations) {
    return Request::ScramCredentialUpsertion{.name = name,
                                             .mechanism = mechanism,
                                             .iterations = iterations,
                                             .salt = Slice::copy_of(as_bytes("salt")),
                                             .salted_password = Slice::copy_of(Bytes(32, 'p'))};
  };
  const auto alter = [&](std::vector<Request::ScramCredentialDeletion> deletions,
                         std::vector<Request::ScramCredentialUpsertion> upsertions) {
    const auto answer = world.perform(
        alter_user_scram_credentials,
        Request{.deletions = std::move(deletions), .upsertions = std::move(upsertions)});
    EXPECT_EQ(answer.results.size(), 1U);
    return answer.results.front().error_message.value_or("");
  };
  EXPECT_EQ(alter({}, {up("bob", 1, 4096)}), "");
  EXPECT_EQ(alter({}, {up("bob", 1, 100)}), "Too few iterations");
  EXPECT_EQ(alter({}, {up("bob", 1, 20000)}), "Too many iterations");
  EXPECT_EQ(alter({}, {up("bob", 7, 4096)}), "Unknown SCRAM mechanism");
  EXPECT_EQ(alter({}, {up("", 1, 4096)}), "Username must not be empty");
  EXPECT_EQ(alter({{.name = "al", .mechanism = 1}}, {}),
            "Attempt to delete a user credential that does not exist");
  EXPECT_EQ(alter({{.name = "al", .mechanism = 1}}, {up("al", 1, 4096)}),
            "Attempt to delete a user credential that does not exist");
  EXPECT_EQ(alter({}, {up("al", 1, 4096), up("al", 2, 5000)}),
            "A user credential cannot be altered twice in the same request");
  EXPECT_EQ(world.image->retained->scram->size(), 1U);
  EXPECT_EQ(alter({{.name = "bob", .mechanism = 1}}, {}), "");
  EXPECT_TRUE(world.image->retained->scram->empty());
}

TEST(Acls, ARuleIsStoredOnceAndFoundByFilters) {
  DecisionWorld world;
  protocol::CreateAclsRequest request;
  request.creations.push_back({.resource_type = 2,
                               .resource_name = "t",
                               .resource_pattern_type = 3,
                               .principal = "User:a",
                               .host = "*",
                               .operation = 3,
                               .permission_type = 3});
  request.creations.push_back(request.creations.front());
  world.perform(create_acls, request);
  EXPECT_EQ(world.written, 1U);
  EXPECT_EQ(world.image->acls->size(), 1U);
  request.creations.front().principal = "nobody";
  EXPECT_EQ(world.perform(create_acls, request).results.front().error_code,
            ErrorCode::invalid_request);
  protocol::DeleteAclsRequest removal;
  removal.filters.push_back({.resource_type_filter = 2,
                             .resource_name_filter = std::nullopt,
                             .pattern_type_filter = 1,
                             .principal_filter = std::nullopt,
                             .host_filter = std::nullopt,
                             .operation = 1,
                             .permission_type = 1});
  removal.filters.push_back(removal.filters.front());
  const auto answer = world.perform(delete_acls, removal);
  EXPECT_EQ(answer.filter_results.front().matching_acls.front().principal, "User:a");
  EXPECT_EQ(world.written, 1U);
  EXPECT_TRUE(world.image->acls->empty());
  world.settings.has_authorizer = false;
  EXPECT_EQ(create_acls(world.context(), request).error().code, ErrorCode::security_disabled);
}

}  // namespace
}  // namespace arus::controller
