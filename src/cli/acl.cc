#include <fmt/core.h>

#include "base/json.h"
#include "cli/acl_view.h"
#include "cli/own.h"

namespace arus::cli {
namespace {

std::string binding_as_json(const AclBinding& binding) {
  JsonWriter json;
  json.begin_object();
  json.key("resource_type").text(name_of(binding.resource.type));
  json.key("resource_name").text(binding.resource.name);
  json.key("pattern_type").text(name_of(binding.resource.pattern));
  json.key("principal").text(binding.entry.principal);
  json.key("host").text(binding.entry.host);
  json.key("operation").text(name_of(binding.entry.operation));
  json.key("permission").text(name_of(binding.entry.permission));
  json.end_object();
  return json.take();
}

std::string binding_line(const AclBinding& binding) {
  const auto& [resource, entry] = binding;
  return fmt::format("{} {} {} on {} {}{} from {}\n", name_of(entry.permission), entry.principal,
                     name_of(entry.operation), name_of(resource.type), resource.name,
                     resource.pattern == PatternType::prefixed ? "…" : "", entry.host);
}

std::vector<AclResource> resources_of(const AclOptions& options) {
  const PatternType pattern = options.prefixed ? PatternType::prefixed : PatternType::literal;
  std::vector<AclResource> resources;
  for (const auto& name : options.topics) resources.push_back({ResourceType::topic, name, pattern});
  for (const auto& name : options.groups) resources.push_back({ResourceType::group, name, pattern});
  for (const auto& name : options.transactional_ids) {
    resources.push_back({ResourceType::transactional_id, name, pattern});
  }
  if (options.cluster) {
    resources.push_back(
        {ResourceType::cluster, std::string(cluster_resource_name), PatternType::literal});
  }
  return resources;
}

Result<std::vector<AclBinding>> bindings_of(const AclOptions& options) {
  std::vector<AclBinding> bindings;
  for (const auto& resource : resources_of(options)) {
    for (const auto& principal : options.principals) {
      for (const auto& text : options.operations) {
        const auto operation = parse_operation(text);
        if (!operation || *operation == AclOperation::any) {
          return fail(ErrorCode::invalid_request, fmt::format("There is no operation {}", text));
        }
        bindings.push_back({resource,
                            {principal, options.host, *operation,
                             options.deny ? AclPermission::deny : AclPermission::allow}});
      }
    }
  }
  if (bindings.empty()) {
    return fail(ErrorCode::invalid_request,
                "Name a principal, an operation and a resource (--topic, --group, "
                "--transactional-id or --cluster)");
  }
  return bindings;
}

env::Task<int> run_list(Session session, Console& console, const AclOptions& options) {
  auto found = co_await find_acls(session.cluster, AclFilter{});
  if (!found) co_return report(console, found.error());
  const auto resources = resources_of(options);
  const auto matches = [&](const AclBinding& binding) {
    const bool who =
        options.principals.empty() ||
        std::ranges::find(options.principals, binding.entry.principal) != options.principals.end();
    const bool what =
        resources.empty() || std::ranges::any_of(resources, [&](const AclResource& resource) {
          return resource.type == binding.resource.type && resource.name == binding.resource.name;
        });
    return who && what;
  };
  for (const auto& binding : *found) {
    if (!matches(binding)) continue;
    console.out(options.json ? binding_as_json(binding) + "\n" : binding_line(binding));
  }
  co_return 0;
}

env::Task<int> run_add(Session session, Console& console, const std::vector<AclBinding>& bindings) {
  const auto done = co_await create_acls(session.cluster, bindings);
  if (!done) co_return report(console, done.error());
  for (const auto& binding : bindings) console.out(binding_line(binding));
  co_return 0;
}

env::Task<int> run_remove(Session session, Console& console,
                          const std::vector<AclBinding>& bindings) {
  std::vector<AclFilter> filters;
  for (const auto& binding : bindings) filters.push_back(filter_of(binding));
  auto deleted = co_await delete_acls(session.cluster, std::move(filters));
  if (!deleted) co_return report(console, deleted.error());
  for (const auto& binding : *deleted) console.out("Removed " + binding_line(binding));
  co_return 0;
}

int change(Console& console, const ClusterOptions& cluster, const AclOptions& options,
           env::Task<int> (*body)(Session, Console&, const std::vector<AclBinding>&)) {
  const auto client = cluster.client();
  if (!client) return report(console, client.error());
  const auto bindings = bindings_of(options);
  if (!bindings) return report(console, bindings.error());
  return run_session(*client, body, console, *bindings);
}

}  // namespace

int list_acls(Console& console, const ClusterOptions& cluster, const AclOptions& options) {
  const auto client = cluster.client();
  if (!client) return report(console, client.error());
  return run_session(*client, run_list, console, options);
}
int add_acls(Console& console, const ClusterOptions& cluster, const AclOptions& options) {
  return change(console, cluster, options, run_add);
}
int remove_acls(Console& console, const ClusterOptions& cluster, const AclOptions& options) {
  return change(console, cluster, options, run_remove);
}

}  // namespace arus::cli
