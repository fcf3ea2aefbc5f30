// The grammar of kafka-consumer-groups and kafka-transactions: what is refused before anybody is
// asked.
#include <gtest/gtest.h>

#include "cli/kafka/programs.h"

namespace arus::cli::kafka {
namespace {

struct Outcome {
  int status = 0;
  std::string out;
  std::string err;  // its first line
};

Outcome run(int (*program)(Console&, const Arguments&), const Arguments& arguments) {
  Outcome outcome;
  std::string err;
  {
    Console console{outcome.out, err};
    outcome.status = program(console, arguments);
  }
  outcome.err = err.substr(0, err.find('\n'));
  return outcome;
}

std::string refused(Arguments arguments) {
  arguments.insert(arguments.begin(), {"--bootstrap-server", "127.0.0.1:1"});
  const Outcome outcome = run(consumer_groups, arguments);
  EXPECT_EQ(outcome.status, 1);
  EXPECT_EQ(outcome.out, "");
  return outcome.err;
}

TEST(ConsumerGroupOptions, NeedExactlyOneAction) {
  const std::string message =
      "Command must include exactly one action: --list, --describe, --delete, --reset-offsets, "
      "--delete-offsets, --validate-regex";
  EXPECT_EQ(refused({"--group", "g"}), message);
  EXPECT_EQ(refused({"--delete", "--describe", "--group", "g"}), message);
  EXPECT_EQ(run(consumer_groups, {"--list"}).err,
            "Missing required argument \"[bootstrap-server]\"");
}

TEST(ConsumerGroupOptions, ActionsSayWhatTheyNeed) {
  EXPECT_EQ(refused({"--describe"}),
            "Option [describe] takes one of these options: [group], [all-groups]");
  EXPECT_EQ(refused({"--describe", "--group", "g", "--members", "--state"}),
            "Option [describe] takes at most one of these options: [members], [offsets], [state]");
  EXPECT_EQ(refused({"--describe", "--group", "g", "--state", "Empty"}),
            "Option [describe] does not take a value for [state]");
  EXPECT_EQ(refused({"--delete-offsets", "--group", "g"}),
            "Option [delete-offsets] takes the following options: [group], [topic]");
  EXPECT_EQ(refused({"--list", "--members"}),
            "Option(s) [members] are unavailable given other options on the command line");
}

TEST(ConsumerGroupOptions, ResetsNeedOneScenarioAndAScope) {
  EXPECT_EQ(refused({"--reset-offsets", "--group", "g", "--topic", "t", "--dry-run",
                     "--to-earliest", "--to-offset", "3"}),
            "Option \"[to-offset]\" can't be used with option \"[to-earliest]\"");
  EXPECT_EQ(refused({"--reset-offsets", "--group", "g", "--to-latest", "--dry-run"}),
            "One of the reset scopes should be defined: --all-topics, --topic.");
  EXPECT_EQ(
      refused({"--reset-offsets", "--group", "g", "--topic", "t:x", "--to-latest", "--dry-run"}),
      "Invalid partition 'x' specified in topic arg 't:x''");
  EXPECT_EQ(refused({"--reset-offsets", "--to-latest", "--dry-run", "--execute"}),
            "Option [reset-offsets] only accepts one of [execute] and [dry-run]");
}

TEST(ConsumerGroupOptions, StatesAreThoseThatKafkaKnows) {
  EXPECT_EQ(refused({"--list", "--state", "foo"}),
            "Invalid state list 'foo'. Valid states are: Assigning, CompletingRebalance, Dead, "
            "Empty, PreparingRebalance, Reconciling, Stable");
  EXPECT_EQ(refused({"--list", "--type", "share"}),
            "Invalid types list 'share'. Valid types are: Classic, Consumer");
}

TEST(ConsumerGroupOptions, DatesThatCannotBeReadFailAsKafkasDo) {
  const Outcome outcome =
      run(consumer_groups, {"--bootstrap-server", "127.0.0.1:1", "--reset-offsets", "--group", "g",
                            "--topic", "t", "--dry-run", "--to-datetime", "2020-01-01T00:00:00"});
  EXPECT_EQ(outcome.status, 0);
  EXPECT_EQ(outcome.out,
            "\nError: Executing consumer group command failed due to java.text.ParseException: "
            "Unparseable date: \"2020-01-01T00:00:00Z\"\n");
}

TEST(ConsumerGroupOptions, ExpressionsAreJudgedWithoutAServer) {
  EXPECT_EQ(run(consumer_groups, {"--validate-regex", "^a.*$"}).out,
            "The regular expression `^a.*$` is valid.\n");
  EXPECT_EQ(run(consumer_groups, {"--validate-regex", "a(b"}).out,
            "The regular expression `a(b` is invalid: missing closing ).\n");
}

TEST(TransactionOptions, AreCheckedBeforeAnybodyIsAsked) {
  const auto err = [](Arguments arguments) {
    arguments.insert(arguments.begin(), {"--bootstrap-server", "127.0.0.1:1"});
    const Outcome outcome = run(transactions, arguments);
    EXPECT_EQ(outcome.status, 1);
    return outcome.err;
  };
  EXPECT_TRUE(err({"abort", "--topic", "t", "--partition", "0"})
                  .starts_with("The transaction to abort must be identified either with"));
  EXPECT_EQ(err({"abort", "--topic", "t", "--partition", "0", "--producer-id", "1"}),
            "Missing required argument --producer-epoch");
  EXPECT_EQ(err({"find-hanging"}),
            "The `find-hanging` command requires either --topic or --broker-id to limit the scope "
            "of the search");
  EXPECT_EQ(err({"find-hanging", "--broker-id", "1", "--partition", "0"}),
            "The --partition argument requires --topic to be provided");
}

}  // namespace
}  // namespace arus::cli::kafka
