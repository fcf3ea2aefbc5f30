#include <fmt/core.h>

#include <iostream>
#include <set>

#include "base/joined.h"
#include "cli/acl_view.h"
#include "cli/kafka/command.h"
#include "cli/kafka/programs.h"

namespace arus::cli::kafka {
namespace {

constexpr OptionSpec acls_specs[] = {
    {"add", Takes::nothing, "", "Add ACLs."},
    {"allow-host",
     Takes::value,
     "host",
     "Where allowed principals come from; any without it.",
     {},
     true},
    {"allow-principal",
     Takes::value,
     "User:name",
     "Who is allowed; User:* is everybody.",
     {},
     true},
    {"bootstrap-controller", Takes::value, "host:port", "Controllers to ask first."},
    {"bootstrap-server", Takes::value, "host:port", "Brokers to ask first."},
    {"cluster", Takes::nothing, "", "ACLs of the cluster."},
    {"command-config", Takes::optional_value, "file", "Properties for the client."},
    {"consumer", Takes::nothing, "",
     "What a consumer needs: READ, DESCRIBE of topics, READ of groups."},
    {"delegation-token", Takes::value, "token", "ACLs of a delegation token.", {}, true},
    {"deny-host",
     Takes::value,
     "host",
     "Where denied principals come from; any without it.",
     {},
     true},
    {"deny-principal",
     Takes::value,
     "User:name",
     "Who is denied, whoever else is allowed.",
     {},
     true},
    {"force", Takes::nothing, "", "Do not ask."},
    {"group", Takes::value, "group", "ACLs of a consumer group; * is all.", {}, true},
    {"help", Takes::nothing, "", "Print this."},
    {"idempotent", Takes::nothing, "", "With --producer: also IDEMPOTENT_WRITE."},
    {"list", Takes::nothing, "", "Show ACLs."},
    {"operation",
     Takes::value,
     "operation",
     "Read, Write, Create, Delete, Alter, Describe, ClusterAction, DescribeConfigs, AlterConfigs, "
     "IdempotentWrite, CreateTokens, DescribeTokens, TwoPhaseCommit or All (the default).",
     {},
     true},
    {"principal", Takes::optional_value, "User:name", "With --list: of this principal.", {}, true},
    {"producer", Takes::nothing, "",
     "What a producer needs: WRITE, DESCRIBE, CREATE of topics, WRITE, DESCRIBE of transactional "
     "ids."},
    {"remove", Takes::nothing, "", "Remove ACLs."},
    {"resource-pattern-type", Takes::value, "type",
     "literal or prefixed; with --list and --remove also any and match."},
    {"topic", Takes::value, "topic", "ACLs of a topic; * is all.", {}, true},
    {"transactional-id", Takes::value, "id", "ACLs of a transactional id; * is all.", {}, true},
    {"user-principal", Takes::value, "user", "ACLs of a user as a resource.", {}, true},
    {"version", Takes::nothing, "", "Print the version."},
};

// What is asked for: resources each with the entries that are meant (none: all there are).
using AclsByResource = std::map<AclResource, std::set<AclEntry>>;

struct AclProgram {
  const ParsedOptions& options;
  AclsByResource acls;
};

PatternType pattern_of(const ParsedOptions& options) {
  return parse_pattern_type(options.value_or("resource-pattern-type", "LITERAL"))
      .value_or(PatternType::unknown);
}

std::vector<AclResource> resources_of(const ParsedOptions& options) {
  const PatternType pattern = pattern_of(options);
  std::vector<AclResource> resources;
  const auto add = [&](std::string_view option, ResourceType type) {
    for (const auto& name : options.values(option)) resources.push_back({type, name, pattern});
  };
  add("topic", ResourceType::topic);
  if (options.has("cluster") || (options.has("idempotent") && options.has("producer"))) {
    const bool literal = pattern == PatternType::literal || options.has("add");
    resources.push_back({ResourceType::cluster, std::string(cluster_resource_name),
                         literal ? PatternType::literal : pattern});
  }
  add("group", ResourceType::group);
  add("transactional-id", ResourceType::transactional_id);
  add("delegation-token", ResourceType::delegation_token);
  add("user-principal", ResourceType::user);
  return resources;
}

Result<> check_principals(const std::vector<std::string>& principals) {
  for (const auto& principal : principals) {
    const auto colon = principal.find(':');
    if (colon != std::string::npos && colon > 0) continue;
    return fail(ErrorCode::invalid_request,
                fmt::format("expected a string in format principalType:principalName but got {}",
                            principal));
  }
  return {};
}

// Everybody that the options allow or deny, from everywhere they name, for each operation.
std::set<AclEntry> entries_of(const ParsedOptions& options,
                              const std::set<AclOperation>& operations) {
  std::set<AclEntry> entries;
  const auto add = [&](std::string_view principals, std::string_view hosts,
                       AclPermission permission) {
    std::vector<std::string> from = options.values(hosts);
    if (from.empty()) from.emplace_back("*");
    for (const auto& principal : options.values(principals)) {
      for (const auto& host : from) {
        for (const AclOperation operation : operations) {
          entries.insert({principal, host, operation, permission});
        }
      }
    }
  };
  add("allow-principal", "allow-host", AclPermission::allow);
  add("deny-principal", "deny-host", AclPermission::deny);
  return entries;
}

std::set<AclOperation> convenient_operations(const ParsedOptions& options, ResourceType type) {
  std::set<AclOperation> operations;
  if (options.has("producer")) {
    if (type == ResourceType::topic) {
      operations.insert({AclOperation::write, AclOperation::describe, AclOperation::create});
    }
    if (type == ResourceType::transactional_id) {
      operations.insert({AclOperation::write, AclOperation::describe});
    }
    if (type == ResourceType::cluster && options.has("idempotent")) {
      operations.insert(AclOperation::idempotent_write);
    }
  }
  if (options.has("consumer")) {
    if (type == ResourceType::topic) {
      operations.insert({AclOperation::read, AclOperation::describe});
    }
    if (type == ResourceType::group) operations.insert(AclOperation::read);
  }
  return operations;
}

// An error names the resource whose type cannot have an operation.
Result<AclsByResource> acls_of(const ParsedOptions& options) {
  AclsByResource acls;
  std::set<AclOperation> named;
  bool unknown = false;
  for (const auto& text : options.values("operation")) {
    const auto operation = parse_operation(text);
    unknown = unknown || !operation;
    if (operation) named.insert(*operation);
  }
  const bool convenient = options.has("producer") || options.has("consumer");
  if (!options.has("operation") && !convenient) named.insert(AclOperation::all);
  for (const auto& resource : resources_of(options)) {
    const auto& possible = operations_of(resource.type);
    auto operations = convenient ? convenient_operations(options, resource.type) : named;
    for (const AclOperation operation : operations) {
      if (std::ranges::find(possible, operation) == possible.end()) unknown = true;
    }
    if (unknown && !options.has("list")) {
      std::vector<std::string_view> names;
      for (const AclOperation operation : possible) names.push_back(name_of(operation));
      return fail(ErrorCode::invalid_request,
                  fmt::format("ResourceType {} only supports operations [{}]",
                              name_of(resource.type), joined(names, ", ")));
    }
    acls[resource] = entries_of(options, operations);
  }
  return acls;
}

std::string entries_text(const std::set<AclEntry>& entries) {
  std::string text;
  for (const auto& entry : entries) {
    text += fmt::format("{}\t{}", text.empty() ? "" : "\n", entry_text(entry));
  }
  return text;
}

AclFilter filter_of_resource(const AclResource& resource) {
  AclFilter filter;
  filter.type = resource.type;
  filter.name = resource.name;
  filter.pattern = resource.pattern;
  return filter;
}

env::Task<Result<>> add(client::Cluster& cluster, Console& console, const AclsByResource& acls) {
  for (const auto& [resource, entries] : acls) {
    auto existing = co_await find_acls(cluster, filter_of_resource(resource));
    if (!existing) co_return fail(std::move(existing).error());
    std::set<AclEntry> fresh = entries;
    for (const auto& binding : *existing) {
      if (fresh.erase(binding.entry) == 0) continue;
      console.print("Acl (pattern={}, entry={}) already exists.\n", resource_text(resource),
                    entry_text(binding.entry));
    }
    if (fresh.empty()) continue;
    console.print("Adding ACLs for resource `{}`: \n {}\n\n", resource_text(resource),
                  entries_text(fresh));
    std::vector<AclBinding> bindings;
    for (const auto& entry : fresh) bindings.push_back({resource, entry});
    ARUS_CO_TRY(co_await create_acls(cluster, std::move(bindings)));
  }
  co_return Result<>{};
}

bool confirmed(Console& console, const ParsedOptions& options, const std::string& question) {
  if (options.has("force")) return true;
  console.print("{} (y/n)\n", question);
  console.flush();
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "y" || answer == "Y";
}

env::Task<Result<>> remove(client::Cluster& cluster, Console& console, const AclProgram& program) {
  for (const auto& [resource, entries] : program.acls) {
    std::vector<AclFilter> filters;
    std::string question;
    if (entries.empty()) {
      question = fmt::format("Are you sure you want to delete all ACLs for resource filter `{}`?",
                             resource_text(resource));
      filters.push_back(filter_of_resource(resource));
    } else {
      question =
          fmt::format("Are you sure you want to remove ACLs: \n {} \n from resource filter `{}`?",
                      entries_text(entries), resource_text(resource));
      for (const auto& entry : entries) filters.push_back(filter_of({resource, entry}));
    }
    if (!confirmed(console, program.options, question)) continue;
    auto deleted = co_await delete_acls(cluster, std::move(filters));
    if (!deleted) co_return fail(std::move(deleted).error());
  }
  co_return Result<>{};
}

env::Task<Result<>> list(client::Cluster& cluster, Console& console, const AclProgram& program) {
  std::map<AclResource, std::set<AclEntry>> found;
  std::vector<AclFilter> filters;
  for (const auto& [resource, entries] : program.acls) {
    filters.push_back(filter_of_resource(resource));
  }
  if (filters.empty()) filters.emplace_back();
  for (const auto& filter : filters) {
    auto bindings = co_await find_acls(cluster, filter);
    if (!bindings) co_return fail(std::move(bindings).error());
    for (const auto& binding : *bindings) found[binding.resource].insert(binding.entry);
  }
  const auto print = [&](const std::string* principal) {
    for (const auto& [resource, entries] : found) {
      std::set<AclEntry> shown;
      for (const auto& entry : entries) {
        if (principal == nullptr || entry.principal == *principal) shown.insert(entry);
      }
      if (shown.empty()) continue;
      console.print("Current ACLs for resource `{}`:\n{}\n\n", resource_text(resource),
                    entries_text(shown));
    }
  };
  const auto& principals = program.options.values("principal");
  if (principals.empty()) print(nullptr);
  for (const auto& principal : principals) {
    console.print("ACLs for principal `{}`\n", principal);
    print(&principal);
  }
  co_return Result<>{};
}

env::Task<int> run_acls(Session session, Console& console, const AclProgram& program) {
  Result<> done;
  if (program.options.has("add")) {
    done = co_await add(session.cluster, console, program.acls);
  } else if (program.options.has("remove")) {
    done = co_await remove(session.cluster, console, program);
  } else {
    done = co_await list(session.cluster, console, program);
  }
  if (done) co_return 0;
  console.print("Error while executing ACL command: {}: {}\n", exception_name(done.error().code),
                done.error().message);
  co_return 1;
}

std::optional<std::string> contradiction(const ParsedOptions& options) {
  if (options.has("bootstrap-server") == options.has("bootstrap-controller")) {
    return options.has("bootstrap-server")
               ? "Only one of --bootstrap-server or --bootstrap-controller must be specified"
               : "One of --bootstrap-server or --bootstrap-controller must be specified";
  }
  const int actions =
      int{options.has("add")} + int{options.has("remove")} + int{options.has("list")};
  if (actions != 1) {
    return "Command must include exactly one action: --list, --add, --remove. ";
  }
  if (options.has("add") && !options.has("allow-principal") && !options.has("deny-principal")) {
    return "You must specify one of: --allow-principal, --deny-principal when trying to add ACLs.";
  }
  const bool convenient = options.has("producer") || options.has("consumer");
  if (convenient &&
      (options.has("operation") || options.has("deny-principal") || options.has("deny-host"))) {
    return "Options --producer and --consumer go with none of --operation, --deny-principal, "
           "--deny-host";
  }
  if (options.has("producer") && !options.has("topic")) {
    return "With --producer you must specify a --topic";
  }
  if (options.has("idempotent") && !options.has("producer")) {
    return "The --idempotent option is only available if --producer is set";
  }
  if (options.has("consumer") &&
      (!options.has("topic") || !options.has("group") ||
       (!options.has("producer") && (options.has("cluster") || options.has("transactional-id"))))) {
    return "With --consumer you must specify a --topic and a --group and no --cluster or "
           "--transactional-id option should be specified.";
  }
  const PatternType pattern = pattern_of(options);
  if (pattern == PatternType::unknown ||
      (options.has("add") && pattern != PatternType::literal && pattern != PatternType::prefixed)) {
    return fmt::format("A '--resource-pattern-type' value of '{}' is not valid when adding acls.",
                       options.value_or("resource-pattern-type", ""));
  }
  if (!options.has("list") && resources_of(options).empty()) {
    return "You must provide at least one resource: --topic <topic> or --cluster or --group "
           "<group> or --delegation-token <Delegation Token ID>";
  }
  return std::nullopt;
}

}  // namespace

int acls(Console& console, const Arguments& arguments) {
  ParsedOptions options;
  if (const auto status = begin(console, arguments, acls_specs,
                                "This tool helps to manage acls on kafka.", options)) {
    return *status;
  }
  if (const auto message = contradiction(options))
    return usage_error(console, *message, acls_specs);
  for (const std::string_view name : {"allow-principal", "deny-principal", "principal"}) {
    if (auto checked = check_principals(options.values(name)); !checked) {
      console.print("Error while executing ACL command: {}\n", checked.error().message);
      return 1;
    }
  }
  auto acls = acls_of(options);
  if (!acls) return usage_error(console, acls.error().message, acls_specs);
  const auto client = cluster_of(options);
  if (!client) return usage_error(console, client.error().message, acls_specs);
  const AclProgram program{options, std::move(*acls)};
  return run_session(*client, run_acls, console, program);
}

}  // namespace arus::cli::kafka
