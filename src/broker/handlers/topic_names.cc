#include "broker/handlers/topic_names.h"

#include <algorithm>

namespace arus::broker {

bool is_topic_name(std::string_view name) {
  if (name.empty() || name.size() > max_topic_name_length || name == "." || name == "..") {
    return false;
  }
  return std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  });
}

bool is_internal_topic(std::string_view name) {
  return name == "__consumer_offsets" || name == "__transaction_state" ||
         name == "__share_group_state";
}

}  // namespace arus::broker
