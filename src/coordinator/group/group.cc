#include "coordinator/group/group.h"

namespace arus::coordinator {

std::string_view group_kind_name(GroupKind kind) {
  switch (kind) {
    case GroupKind::classic:
      return "classic";
    case GroupKind::consumer:
      return "consumer";
    case GroupKind::share:
      return "share";
    case GroupKind::streams:
      return "streams";
  }
  return "unknown";
}

}  // namespace arus::coordinator
