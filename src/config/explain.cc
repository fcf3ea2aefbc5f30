#include <fmt/core.h>

#include <algorithm>

#include "config/config_table.h"

namespace arus::config {
namespace {

struct ScopeText {
  Scope scope;
  std::string_view title;
  std::string_view owner;  // "Setting of a …"
};

constexpr ScopeText scopes[] = {
    {Scope::broker, "Broker", "a broker"},
    {Scope::topic, "Topic", "a topic"},
    {Scope::group, "Group", "a group"},
    {Scope::client_metrics, "Client-metrics subscription", "a client-metrics subscription"},
    {Scope::client_quota, "Quota of users and client ids", "users and client ids"},
    {Scope::user, "User", "a user"},
    {Scope::ip_quota, "Quota of addresses", "an IP address"},
};

std::string default_of(const ConfigKey& key) {
  if (key.required) return "none, must be set";
  const auto text = key.default_text();
  if (!text) return "none";
  return text->empty() ? "empty" : std::string(*text);
}

std::string change_of(const ConfigKey& key) {
  if (key.scope != Scope::broker) return "at run time";
  switch (key.update) {
    case Update::cluster_wide:
      return "at run time, for one broker or for all";
    case Update::per_broker:
      return "at run time, for one broker";
    case Update::read_only:
      break;
  }
  return "in the properties file";
}

std::string_view effect_of(const ConfigKey& key) {
  switch (key.effect) {
    case Effect::at_once:
      return "at once";
    case Effect::at_next_segment:
      return "at the next segment";
    case Effect::at_restart:
      return "when the node starts";
    case Effect::none_yet:
      break;
  }
  return "none yet: Arus accepts and shows the key, but does not act on it";
}

std::string_view importance_of(const ConfigKey& key) {
  switch (key.importance) {
    case Importance::high:
      return "high";
    case Importance::medium:
      return "medium";
    case Importance::low:
      break;
  }
  return "low";
}

std::string synonyms_of(const ConfigKey& key) {
  std::string text;
  for (const Synonym& synonym : key.synonyms) {
    if (synonym.broker_key.empty()) break;
    if (!text.empty()) text += ", ";
    text += synonym.broker_key;
    if (synonym.factor != 1) text += fmt::format(" × {}", synonym.factor);
  }
  return text;
}

// Text in a cell of a Markdown table.
std::string cell(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '|') escaped += '\\';
    escaped += c;
  }
  return escaped;
}

void append_row(const ConfigKey& key, std::string& page) {
  std::string facts(type_name(key.type));
  const std::string rule = describe_rule(key.rule);
  if (!rule.empty()) facts += " " + rule;
  std::string doc(key.doc);
  if (const std::string synonyms = synonyms_of(key); !synonyms.empty()) {
    doc += fmt::format(" Inherited from {}.", synonyms);
  }
  const std::string_view effect = key.effect == Effect::none_yet ? "none yet" : effect_of(key);
  page += fmt::format("| `{}` | {} | {} | {} | {} | {} |\n", key.name, cell(facts),
                      cell(default_of(key)), change_of(key), effect, cell(doc));
}

}  // namespace

std::string explain(std::string_view name) {
  std::string text;
  for (const ScopeText& scope : scopes) {
    const ConfigKey* key =
        scope.scope == Scope::broker ? find_broker_key(name) : find(name, scope.scope);
    if (key == nullptr) continue;
    if (!text.empty()) text += '\n';
    text += fmt::format("{}: setting of {}\n", key->name, scope.owner);
    text += fmt::format("  {}\n", key->doc);
    text += fmt::format("  type        {}\n", type_name(key->type));
    text += fmt::format("  default     {}\n", default_of(*key));
    if (const std::string rule = describe_rule(key->rule); !rule.empty()) {
      text += fmt::format("  values      {}\n", rule);
    }
    if (const std::string synonyms = synonyms_of(*key); !synonyms.empty()) {
      text += fmt::format("  falls back  to the broker's {}\n", synonyms);
    }
    text += fmt::format("  importance  {}\n", importance_of(*key));
    text += fmt::format("  changed     {}\n", change_of(*key));
    text += fmt::format("  effect      {}\n", effect_of(*key));
  }
  return text;
}

std::string reference_page() {
  std::string page =
      "# Configuration\n\n"
      "Every key that Arus knows: those of Apache Kafka 4.3.1 under their own names, and its own, "
      "which begin with\n`arus.`. This page is written by `./dev docs` from the table "
      "in `src/config/`; a test fails when it\nis stale. \"Effect\" says when a change takes hold; "
      "a key without effect is accepted, stored and shown, and\n`arus config explain KEY` says "
      "so.\n";
  for (const ScopeText& scope : scopes) {
    page += fmt::format(
        "\n## {}\n\n| key | type | default | changed | effect | meaning |\n"
        "|---|---|---|---|---|---|\n",
        scope.title);
    for (const ConfigKey* key : keys_of(scope.scope)) append_row(*key, page);
  }
  return page;
}

}  // namespace arus::config
