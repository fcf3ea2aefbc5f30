// Whose log directory it is.
#pragma once

#include <cstdint>
#include <string>

#include "base/uuid.h"

namespace arus::storage {

// What meta.properties says (version 1). `cluster_id` is compared as text.
struct DirectoryIdentity {
  std::string cluster_id;
  std::int32_t node_id = -1;
  Uuid directory_id;
};

// What the newest RegisterBrokerRecord of a node says of the run that wrote it.
struct BrokerRegistration {
  Uuid incarnation_id;
  std::int64_t broker_epoch = -1;
  friend bool operator==(const BrokerRegistration&, const BrokerRegistration&) = default;
};

}  // namespace arus::storage
