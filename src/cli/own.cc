#include "cli/own.h"

#include <fmt/core.h>

#include <CLI/CLI.hpp>

#include "cli/completion.h"
#include "cli/kafka/command.h"
#include "cli/kafka/programs.h"
#include "client/version.h"

namespace arus::cli {
namespace {

// The tree of commands with the options that each fills, and what runs when it is chosen.
class OwnCommands {
 public:
  explicit OwnCommands(Console& console) : console_(console) { declare(); }

  int run(const Arguments& words) {
    const auto commands = app_.get_subcommands([](const CLI::App*) { return true; });
    if (!words.empty() && !words.front().starts_with('-') &&
        std::ranges::find(commands, words.front(), &CLI::App::get_name) == commands.end()) {
      return report(console_,
                    {ErrorCode::invalid_request,
                     fmt::format("There is no command {}; see `arus --help`", words.front())});
    }
    // CLI11 takes its words from the back.
    std::vector<std::string> reversed(words.rbegin(), words.rend());
    try {
      app_.parse(std::move(reversed));
    } catch (const CLI::CallForAllHelp&) {
      console_.out(app_.help("", CLI::AppFormatMode::All));
      return 0;
    } catch (const CLI::CallForHelp&) {
      console_.out(chosen().help(parent_path(chosen())));
      return 0;
    } catch (const CLI::ParseError& error) {
      console_.print_error("arus: {}\nSee `arus {}--help`.\n", error.what(), path_of(chosen()));
      return 1;
    }
    return action_ ? action_() : 0;
  }

 private:
  CLI::App& chosen() {
    CLI::App* app = &app_;
    while (!app->get_subcommands().empty()) app = app->get_subcommands().front();
    return *app;
  }

  std::string path_of(const CLI::App& app) const {
    if (&app == &app_) return "";
    const CLI::App* parent = app.get_parent();
    return (parent == nullptr ? "" : path_of(*parent)) + app.get_name() + " ";
  }

  std::string parent_path(const CLI::App& app) const {
    if (app.get_parent() == nullptr) return "";
    const std::string above = parent_path(*app.get_parent());
    return above.empty() ? app.get_parent()->get_name()
                         : above + " " + app.get_parent()->get_name();
  }

  // A command that needs one of its own commands.
  CLI::App& group(CLI::App& parent, const char* name, const char* summary) {
    CLI::App* app = parent.add_subcommand(name, summary);
    app->require_subcommand(1);
    return *app;
  }

  template <class Action>
  CLI::App& command(CLI::App& parent, const char* name, const char* summary, Action action) {
    CLI::App* app = parent.add_subcommand(name, summary);
    app->callback([this, action] { action_ = action; });
    return *app;
  }

  template <class Action>
  CLI::App& cluster_command(CLI::App& parent, const char* name, const char* summary,
                            Action action) {
    CLI::App& app = command(parent, name, summary, action);
    app.add_option("-b,--bootstrap-server", cluster_.bootstrap, "Brokers to ask first")
        ->envname("ARUS_BOOTSTRAP_SERVER")
        ->capture_default_str();
    app.add_option("--config-file", cluster_.config_file, "Properties for the client");
    app.add_option("-X,--property", cluster_.properties, "A property for the client, key=value")
        ->take_all();
    return app;
  }

  void declare() {
    app_.description(
        "Arus stores streams of records and speaks Kafka's protocol: the server and the tools.");
    app_.require_subcommand(1);
    app_.set_help_all_flag("--help-all", "Help for every command");
    // Run by the program itself before the words come here; listed for the help.
    app_.add_subcommand("serve", "Run the server (see `arus serve --help`)");
    declare_topic();
    declare_produce();
    declare_consume();
    declare_config();
    declare_acl();
    declare_group();
    declare_transaction();
    declare_inspection();
    declare_verify();
    declare_storage();
    declare_rest();
    app_.footer(footer());  // last, or every command would inherit it
  }

  static std::string footer() {
    std::string text = "Kafka's programs, also in bin/*.sh:\n";
    for (const auto& program : kafka::commands()) {
      text += fmt::format("  {:<27} {}\n", program.name, program.summary);
    }
    text += fmt::format("  {:<27} {}\n", "kafka-server-start", "Runs the server");
    return text;
  }

  void declare_topic() {
    CLI::App& topic = group(app_, "topic", "Create, list, describe, delete and alter topics");
    auto names = [this](CLI::App& app, bool required) {
      app.add_option("topic", topic_.names, "Names of topics")->required(required);
    };
    auto json = [this](CLI::App& app) { app.add_flag("--json", topic_.json, "Print JSON"); };
    CLI::App& create = cluster_command(topic, "create", "Create topics", [this] {
      return create_topics(console_, cluster_, topic_);
    });
    names(create, true);
    create.add_option("-p,--partitions", topic_.partitions, "How many partitions");
    create.add_option("-r,--replication-factor", topic_.replication_factor,
                      "How many replicas of each partition");
    create.add_option("-c,--config", topic_.configs, "A config, key=value")->take_all();
    create.add_flag("--if-not-exists", topic_.if_not_exists, "Succeed where it is there already");
    CLI::App& list = cluster_command(topic, "list", "Print the names of topics",
                                     [this] { return list_topics(console_, cluster_, topic_); });
    list.add_flag("--internal", topic_.internal, "Also those kept for the cluster itself");
    json(list);
    CLI::App& describe = cluster_command(topic, "describe", "Show partitions and configs", [this] {
      return show_topics(console_, cluster_, topic_);
    });
    names(describe, false);
    describe.add_flag("--internal", topic_.internal, "Also those kept for the cluster itself");
    json(describe);
    CLI::App& remove = cluster_command(topic, "delete", "Delete topics and their records", [this] {
      return delete_topics(console_, cluster_, topic_);
    });
    names(remove, true);
    remove.add_flag("--if-exists", topic_.if_exists, "Succeed where there is none");
    CLI::App& alter = cluster_command(topic, "alter", "Add partitions, change configs",
                                      [this] { return alter_topics(console_, cluster_, topic_); });
    names(alter, true);
    alter.add_option("-p,--partitions", topic_.partitions, "How many partitions it has then");
    alter.add_option("-c,--config", topic_.configs, "A config to set, key=value")->take_all();
    alter.add_option("-d,--delete-config", topic_.delete_configs, "A config to remove")->take_all();
  }

  void declare_produce() {
    CLI::App& app = cluster_command(app_, "produce", "Send lines or files as records",
                                    [this] { return produce(console_, cluster_, produce_); });
    app.footer(
        "Each line becomes a record. The records of a key go to one partition, in order.\n"
        "A progress line is shown on a terminal. The status is 1 when a record was not\n"
        "delivered.\n\n"
        "Examples:\n"
        "  arus produce orders orders.txt\n"
        "  arus produce orders -K : <<< 'key:value'\n"
        "  arus produce photos --whole-files -k holiday *.jpg\n"
        "  arus consume orders -e --json | arus produce copy --json");
    app.add_option("topic", produce_.topic, "Where the records go")->required();
    app.add_option("file", produce_.files, "Files to read; standard input without any");
    app.add_option("-k,--key", produce_.key, "The key of every record");
    app.add_option("-K,--key-separator", produce_.key_separator,
                   "Lines are a key, this separator, and a value");
    app.add_option("-H,--header", produce_.headers, "A header of every record, name=value")
        ->take_all();
    app.add_option("--null-marker", produce_.null_marker, "Keys and values equal to it are null");
    app.add_option("-p,--partition", produce_.partition, "The partition; chosen by key without it");
    app.add_option("-t,--timestamp", produce_.timestamp_ms, "Milliseconds since 1970");
    app.add_option("-z,--compression", produce_.compression, "none, gzip, snappy, lz4 or zstd");
    app.add_option("--acks", produce_.acks, "all, 1 or 0");
    app.add_option("--transactional-id", produce_.transactional_id,
                   "Send all records in one transaction: all of them are seen, or none");
    app.add_flag("--whole-files", produce_.whole_files, "Each file is one record");
    app.add_flag("--json", produce_.json,
                 "Each line is {\"key\":…,\"value\":…,\"headers\":[…],\"partition\":…,"
                 "\"timestamp\":…}");
    app.add_flag("-q,--quiet", produce_.quiet, "Show no progress");
  }

  void declare_consume() {
    CLI::App& app = cluster_command(app_, "consume", "Print or save records of topics",
                                    [this] { return consume(console_, cluster_, consume_); });
    app.footer(
        "Reads all partitions from the beginning and waits for more, until interrupted.\n\n"
        "Examples:\n"
        "  arus consume orders -e                        what is there now\n"
        "  arus consume orders -f latest                 what comes from now on\n"
        "  arus consume orders -p 0 -f 1000 -n 10        ten records from offset 1000\n"
        "  arus consume orders -T 2026-11-24T10:00:00Z   since a moment\n"
        "  arus consume orders -e --json -o orders.json  into a file\n"
        "  arus consume orders --group shipping          a share, from where the group is");
    app.add_option("topic", consume_.topics, "Topics to read")->required();
    app.add_option("-p,--partition", consume_.partitions, "Only these partitions")->take_all();
    app.add_option("-f,--from", consume_.from, "earliest, latest or an offset")
        ->capture_default_str();
    app.add_option("-T,--from-time", consume_.from_time,
                   "Records at or after this time: milliseconds since 1970, or "
                   "2026-11-24T10:00:00Z");
    app.add_option("-g,--group", consume_.group,
                   "Read as a member of this group, from where it has committed; --from says where "
                   "to begin without that");
    app.add_option("--protocol", consume_.protocol,
                   "How the group divides partitions: classic, or consumer (KIP-848)");
    app.add_option("--instance-id", consume_.instance_id, "A static member of the group");
    app.add_option("--commit", consume_.commit,
                   "What the group is told: auto (now and then), end (once, after the last record) "
                   "or none")
        ->capture_default_str();
    app.add_flag("-e,--until-end", consume_.until_end, "Stop at the end as it is at the start");
    app.add_option("-n,--max-records", consume_.max_records, "Stop after so many records");
    app.add_option("--timeout-ms", consume_.timeout_ms, "Stop when nothing comes for so long");
    app.add_flag("--read-committed", consume_.read_committed,
                 "Leave out records of transactions that are open or aborted");
    app.add_flag("--json", consume_.json, "A line of JSON for each record");
    app.add_flag("--keys", consume_.keys, "Print keys");
    app.add_flag("--headers", consume_.headers, "Print headers");
    app.add_flag("--offsets", consume_.offsets, "Print partitions and offsets");
    app.add_flag("--timestamps", consume_.timestamps, "Print timestamps");
    app.add_option("--separator", consume_.separator, "Between the parts of a line");
    app.add_option("-o,--output", consume_.output, "A file instead of standard output");
    app.add_flag("-q,--quiet", consume_.quiet, "Show no progress");
  }

  void declare_config() {
    CLI::App& config = group(app_, "config", "Show, set and explain configs");
    const auto resource = [this](CLI::App& app) {
      app.add_option("resource", config_.resource,
                     "topic, broker, brokers (all), logger, client-metrics or group")
          ->required();
      app.add_option("name", config_.name, "Which one; nothing for brokers");
    };
    CLI::App& get = cluster_command(config, "get", "Show configs of a resource",
                                    [this] { return get_config(console_, cluster_, config_); });
    resource(get);
    get.add_option("-k,--key", config_.entries, "Only these configs")->take_all();
    get.add_flag("-a,--all", config_.all, "Also those that were never set");
    get.add_flag("--json", config_.json, "Print JSON");
    CLI::App& set = cluster_command(config, "set", "Change configs of a resource",
                                    [this] { return set_config(console_, cluster_, config_); });
    resource(set);
    set.add_option("-s,--set", config_.entries, "A config to set, key=value")->take_all();
    set.add_option("-u,--unset", config_.unset, "A config to remove")->take_all();
    set.add_flag("--validate-only", config_.validate_only, "Check only, change nothing");
    CLI::App& explain = command(config, "explain", "Say what a config key means",
                                [this] { return explain_config(console_, config_); });
    explain.add_option("key", config_.entries, "Keys")->required();
    command(config, "reference", "Print every config key as a page of Markdown",
            [this] { return print_config_reference(console_); });
  }

  void declare_acl() {
    CLI::App& acl = group(app_, "acl", "List, add and remove access rules");
    const auto shared = [this](CLI::App& app) {
      app.add_option("--principal", acl_.principals, "Who, such as User:alice")->take_all();
      app.add_option("--topic", acl_.topics, "A topic, * is all")->take_all();
      app.add_option("--group", acl_.groups, "A consumer group, * is all")->take_all();
      app.add_option("--transactional-id", acl_.transactional_ids, "A transactional id")
          ->take_all();
      app.add_flag("--cluster", acl_.cluster, "The cluster itself");
    };
    CLI::App& list = cluster_command(acl, "list", "Show access rules",
                                     [this] { return list_acls(console_, cluster_, acl_); });
    shared(list);
    list.add_flag("--json", acl_.json, "A line of JSON for each rule");
    for (CLI::App* app : {&cluster_command(acl, "add", "Add access rules",
                                           [this] { return add_acls(console_, cluster_, acl_); }),
                          &cluster_command(acl, "remove", "Remove access rules", [this] {
                            return remove_acls(console_, cluster_, acl_);
                          })}) {
      shared(*app);
      app->add_option("--operation", acl_.operations, "What, such as read or describe-configs")
          ->take_all();
      app->add_option("--host", acl_.host, "From where")->capture_default_str();
      app->add_flag("--deny", acl_.deny, "Deny rather than allow");
      app->add_flag("--prefixed", acl_.prefixed, "The names are beginnings of names");
    }
  }

  void declare_group() {
    CLI::App& group =
        this->group(app_, "group", "List, describe, reset and delete consumer groups");
    const auto names = [this](CLI::App& app) {
      app.add_option("group", group_.names, "Names of groups")->required();
    };
    const auto json = [this](CLI::App& app) { app.add_flag("--json", group_.json, "Print JSON"); };
    CLI::App& list = cluster_command(group, "list", "Print groups of every kind",
                                     [this] { return list_groups(console_, cluster_, group_); });
    list.add_option("-s,--state", group_.states, "Only groups in this state")->take_all();
    list.add_option("-t,--type", group_.types, "Only groups of this type")->take_all();
    json(list);
    CLI::App& describe =
        cluster_command(group, "describe", "Show offsets, lag, and what a rebalance waits for",
                        [this] { return describe_groups(console_, cluster_, group_); });
    describe.footer(
        "LAG counts records: the partition's end minus the committed offset. BEHIND is the\n"
        "age of the oldest record that is not committed: now minus the timestamp of the\n"
        "first record at or after the committed offset, which is read for it. It is 0 where\n"
        "nothing waits, and - where nothing is committed or the record was not found in time.\n"
        "Timestamps are those of the records: producers set them, unless the topic has\n"
        "message.timestamp.type=LogAppendTime. Markers of transactions count as records in\n"
        "LAG and never in BEHIND.\n\n"
        "While a group rebalances, the members that it waits for are named, and why.");
    names(describe);
    describe.add_flag("--no-times", group_.skip_times, "Read no records; without BEHIND");
    json(describe);
    CLI::App& members =
        cluster_command(group, "members", "Show members and what they are assigned",
                        [this] { return show_members(console_, cluster_, group_); });
    names(members);
    json(members);
    CLI::App& reset = cluster_command(group, "reset", "Change the offsets of a group",
                                      [this] { return reset_group(console_, cluster_, group_); });
    reset.footer(
        "Shows the plan; --execute carries it out. A group that has members is refused.\n\n"
        "Examples:\n"
        "  arus group reset billing --to earliest\n"
        "  arus group reset billing --to -100 -t orders:0,1 --execute\n"
        "  arus group reset billing --to-time 2026-11-24T10:00:00Z -t orders --execute\n"
        "  arus group reset billing --ago PT1H30M --execute");
    reset.add_option("group", group_.names, "The group")->required()->expected(1);
    reset
        .add_option("-t,--topic", group_.topics,
                    "Only this topic, or topic:0,1; all with offsets without it")
        ->take_all();
    reset.add_option("--to", group_.to, "earliest, latest, current, an offset, +records, -records");
    reset.add_option("--to-time", group_.to_time, "Records at or after this time");
    reset.add_option("--ago", group_.ago, "Records of so long ago, such as PT1H30M or P1D");
    reset.add_option("--from-file", group_.from_file, "Lines of topic,partition,offset");
    reset.add_flag("--dry-run", group_.dry_run, "Show the plan only, as without --execute");
    reset.add_flag("--execute", group_.execute, "Carry the plan out");
    json(reset);
    CLI::App& remove =
        cluster_command(group, "delete", "Delete groups that have no members",
                        [this] { return delete_groups(console_, cluster_, group_); });
    names(remove);
    remove
        .add_option("-t,--topic", group_.topics,
                    "Delete only the offsets of this topic, or topic:0,1, and keep the group")
        ->take_all();
  }

  void declare_transaction() {
    CLI::App& txn = group(app_, "txn", "List, explain and end transactions");
    const auto json = [this](CLI::App& app) { app.add_flag("--json", txn_.json, "Print JSON"); };
    CLI::App& list =
        cluster_command(txn, "list", "Print transactional ids and their states",
                        [this] { return list_transactions(console_, cluster_, txn_); });
    list.add_option("-s,--state", txn_.states, "Only those in this state, such as Ongoing")
        ->take_all();
    list.add_option("--older-than", txn_.older_than, "Only those that run for longer (PT10M)");
    list.add_flag("--hanging", txn_.hanging,
                  "Instead: open in a partition and unknown to their coordinator");
    list.add_option("--topic", txn_.topic, "With --hanging: search only this topic");
    json(list);
    CLI::App& describe =
        cluster_command(txn, "describe", "Show the state of a transactional id",
                        [this] { return describe_transaction(console_, cluster_, txn_); });
    describe.add_option("id", txn_.id, "A transactional id")->required();
    json(describe);
    CLI::App& why =
        cluster_command(txn, "why", "Say why a transaction is open and how it ends safely",
                        [this] { return why_transaction(console_, cluster_, txn_); });
    why.footer(
        "A producer counts as alive that wrote or began something within the last minute. A\n"
        "transaction hangs that is open in a partition for longer than a minute while its\n"
        "coordinator does not know of it: it holds up read_committed consumers for ever.");
    why.add_option("id", txn_.id, "A transactional id")->required();
    CLI::App& abort =
        cluster_command(txn, "abort", "End a transaction that nobody will end",
                        [this] { return abort_transaction(console_, cluster_, txn_); });
    abort.footer(
        "Refuses while the transaction may still end by itself; --force fences its producer\n"
        "and aborts nevertheless. One whose outcome is decided is never aborted.\n\n"
        "Examples:\n"
        "  arus txn abort payments-7\n"
        "  arus txn abort --topic orders --partition 0 --start-offset 1042");
    abort.add_option("id", txn_.id, "A transactional id");
    abort.add_option("--topic", txn_.topic, "Or a partition in which one hangs: its topic");
    abort.add_option("--partition", txn_.partition, "and its number");
    abort.add_option("--start-offset", txn_.start_offset, "and where the transaction begins in it");
    abort.add_flag("--force", txn_.force, "Also where it may still end by itself");
  }

  void declare_inspection() {
    CLI::App& dirs = cluster_command(app_, "log-dirs", "Show what log directories hold",
                                     [this] { return show_log_dirs(console_, cluster_, json_); });
    dirs.add_flag("--json", json_, "Print JSON");
    CLI::App& why = group(app_, "why", "Explain the state of something in a few sentences");
    CLI::App& disk = cluster_command(why, "disk", "How full, what fills it, what has failed",
                                     [this] { return why_disk(console_, cluster_, directory_); });
    disk.footer(
        "Without a directory it asks the brokers; with one it looks into that directory itself,\n"
        "which also works while no server runs.");
    disk.add_option("directory", directory_, "A log directory of this machine");
    CLI::App& offsets = cluster_command(app_, "offsets", "Show first and next offsets", [this] {
      return show_offsets(console_, cluster_, offsets_);
    });
    offsets.add_option("topic", offsets_.topics, "Only these topics");
    offsets.add_option("--time", offsets_.time, "Also the offset at this time");
    offsets.add_flag("--json", offsets_.json, "A line of JSON for each partition");
    cluster_command(app_, "quorum", "Show the metadata quorum",
                    [this] { return show_quorum(console_, cluster_); });
    cluster_command(app_, "api-versions", "Show which requests brokers understand", [this] {
      return kafka::broker_api_versions(console_, {"--bootstrap-server", cluster_.bootstrap});
    });
    CLI::App& dump = command(app_, "dump", "Print what files of a log directory hold",
                             [this] { return dump_files(console_, dump_); });
    dump.footer(
        "What a file is follows from its name; records of internal topics are decoded.\n\n"
        "Examples:\n"
        "  arus dump data/orders-0/00000000000000000000.log --deep\n"
        "  arus dump data/orders-0/*index data/orders-0/*.snapshot\n"
        "  arus dump data/__cluster_metadata-0/00000000000000000000.log");
    dump.add_option("file", dump_.files,
                    "Segments, indexes, snapshots, checkpoints, meta.properties, quorum-state, …")
        ->required();
    dump.add_flag("--deep", dump_.deep, "Show the records inside batches");
    dump.add_flag("--data", dump_.data, "With their keys and values");
    dump.add_flag("--metadata", dump_.metadata, "Values are records of the metadata log");
    dump.add_flag("--verify", dump_.verify, "Compare an index with its log, print nothing else");
  }

  void declare_verify() {
    CLI::App& app = command(app_, "verify", "Check stopped log directories, and repair what can be",
                            [this] { return verify_directories(console_, verify_); });
    app.footer(
        "Reads everything that is in the directories of a node whose server is stopped: every\n"
        "batch (header, checksum, order of offsets, records as they decompress), indexes,\n"
        "producer snapshots, epochs and checkpoints against the log, the metadata log and its\n"
        "snapshots, the commit log that a crash left and what replaying it makes of segments,\n"
        "leftovers, and partitions against the metadata. Name all directories of the node: one\n"
        "of them has the metadata. Nothing is changed but the file .lock, which is held, and\n"
        "made where it is absent.\n\n"
        "Each finding has a severity, its place (file, byte, offset), a sentence on what is\n"
        "wrong, and one on what a start of the server does about it:\n"
        "  note     a start puts it right by itself, as after every kill; shown with --notes\n"
        "  warning  something is wrong, but nothing that was stored is gone\n"
        "  error    records or metadata are damaged or missing\n\n"
        "--repair prints what it would change, asks, changes it and checks again. It makes\n"
        "indexes again from batches, and renames what a start makes again (damaged snapshots and\n"
        "checkpoints) to end in .damaged. Damaged batches cannot be repaired: they stay, and\n"
        "readers who come to them get CORRUPT_MESSAGE. --cut-damaged ends a log before its first\n"
        "damaged batch instead. The offsets behind are then LOST to readers and given to new\n"
        "records; their bytes are kept beside the log in files that end in .cut.\n\n"
        "Exit status: 0 nothing but notes, 1 warnings or errors, 2 not everything could be\n"
        "checked or repaired.\n\n"
        "Examples:\n"
        "  arus verify data\n"
        "  arus verify /disk1/arus /disk2/arus --json | jq .findings\n"
        "  arus verify data --topic orders --no-records\n"
        "  arus verify data --repair");
    app.add_option("directory", verify_.directories, "Log directories of one node")->required();
    app.add_option("-t,--topic", verify_.topics, "Only partitions of this topic")->take_all();
    app.add_option("-j,--jobs", verify_.jobs, "How many partitions are read at a time")
        ->check(CLI::Range(1, 64))
        ->capture_default_str();
    app.add_flag("--no-records", verify_.no_records,
                 "Compare checksums, but do not decompress and count records");
    app.add_flag("--notes", verify_.notes, "Show notes too");
    app.add_flag("--json", verify_.json, "A line of JSON for each directory");
    app.add_flag("-q,--quiet", verify_.quiet, "Show no progress");
    CLI::Option* repair = app.add_flag("--repair", verify_.repair, "Repair what can be");
    app.add_flag("-y,--yes", verify_.yes, "With --repair: do not ask")->needs(repair);
    app.add_flag("--cut-damaged", verify_.cut_damaged,
                 "With --repair: end logs before damage; what lies behind is kept in other files")
        ->needs(repair);
  }

  void declare_storage() {
    CLI::App& storage = group(app_, "storage", "Format and inspect log directories");
    const auto where = [this](CLI::App& app) {
      app.add_option("--data", storage_.data, "The directory, as for `arus serve --data`");
      app.add_option("-c,--config", storage_.config_file, "Or the server's properties");
      app.add_option("--override", storage_.overrides, "A property over the file's, key=value")
          ->take_all();
    };
    CLI::App& format = command(storage, "format", "Prepare directories for their first start",
                               [this] { return format_storage(console_, storage_); });
    format.footer(
        "A node whose properties name no controller.quorum.voters becomes the only\n"
        "controller of its cluster, as at a first start without formatting.\n\n"
        "Example:\n"
        "  arus storage format --data data -t $(arus storage random-uuid)");
    where(format);
    format.add_option("-t,--cluster-id", storage_.cluster_id, "The cluster; a new one without it");
    format.add_option("-r,--release-version", storage_.release_version,
                      "The release whose features are meant");
    format.add_option("-f,--feature", storage_.features, "A feature's level, feature=level")
        ->take_all();
    format
        .add_option("-S,--add-scram", storage_.scram,
                    "A credential, SCRAM-SHA-256=[name=…,password=…]")
        ->take_all();
    format.add_flag("-g,--ignore-formatted", storage_.ignore_formatted,
                    "Leave directories alone that are formatted");
    where(command(storage, "info", "Show what directories are",
                  [this] { return show_storage(console_, storage_); }));
    command(storage, "random-uuid", "Print a random UUID",
            [this] { return print_random_uuid(console_); });
  }

  void declare_rest() {
    command(app_, "version", "Print the version", [this] {
      console_.print("arus {} (protocol of Apache Kafka {})\n", client::version(),
                     kafka::kafka_version);
      return 0;
    });
    CLI::App& app = command(app_, "completion", "Print a script that completes commands", [this] {
      std::vector<CommandWords> commands;
      collect(app_, "", commands);
      const auto script = completion_script(shell_, commands);
      if (!script) {
        return report(console_, {ErrorCode::invalid_request,
                                 fmt::format("{} is none of bash, zsh and fish", shell_)});
      }
      console_.out(*script);
      return 0;
    });
    app.footer(
        "Examples:\n"
        "  source <(arus completion bash)\n"
        "  arus completion fish > ~/.config/fish/completions/arus.fish");
    app.add_option("shell", shell_, "bash, zsh or fish")->required();
  }

  void collect(const CLI::App& app, const std::string& path, std::vector<CommandWords>& into) {
    CommandWords words{path, {}};
    for (const CLI::App* child : app.get_subcommands({})) words.words.push_back(child->get_name());
    for (const CLI::Option* option : app.get_options({})) {
      for (const auto& name : option->get_lnames()) words.words.push_back("--" + name);
    }
    if (path.empty()) {
      for (const auto& program : kafka::commands()) words.words.emplace_back(program.name);
    }
    into.push_back(std::move(words));
    for (const CLI::App* child : app.get_subcommands({})) {
      collect(*child, path.empty() ? child->get_name() : path + " " + child->get_name(), into);
    }
  }

  Console& console_;
  CLI::App app_{"", "arus"};
  std::function<int()> action_;
  ClusterOptions cluster_;
  TopicOptions topic_;
  ProduceOptions produce_;
  ConsumeOptions consume_;
  ConfigOptions config_;
  AclOptions acl_;
  GroupOptions group_;
  TransactionOptions txn_;
  OffsetsOptions offsets_;
  StorageOptions storage_;
  DumpCommandOptions dump_;
  VerifyCommandOptions verify_;
  std::string shell_;
  std::string directory_;
  bool json_ = false;
};

}  // namespace

int report(Console& console, const Error& error) {
  console.print_error("arus: {}\n", error.message);
  return 1;
}

int run_own(Console& console, const Arguments& words) {
  if (words.size() == 1 && (words.front() == "--version" || words.front() == "-V")) {
    return OwnCommands(console).run({"version"});
  }
  return OwnCommands(console).run(words);
}

}  // namespace arus::cli
