// What a client of a coordinator is told of a failure of the log below it.
#pragma once

#include "base/result.h"

namespace arus::coordinator {

// The codes of the log are Kafka's for producers; clients of a coordinator do not expect them. A
// code that is not about the log stays as it is.
[[nodiscard]] constexpr ErrorCode coordinator_error(ErrorCode code) {
  switch (code) {
    case ErrorCode::unknown_topic_or_partition:
    case ErrorCode::not_enough_replicas:
    case ErrorCode::not_enough_replicas_after_append:
    case ErrorCode::request_timed_out:
      return ErrorCode::coordinator_not_available;
    case ErrorCode::not_leader_or_follower:
    case ErrorCode::kafka_storage_error:
      return ErrorCode::not_coordinator;
    case ErrorCode::message_too_large:
    case ErrorCode::record_list_too_large:
    case ErrorCode::invalid_fetch_size:
      return ErrorCode::unknown_server_error;
    default:
      return code;
  }
}

[[nodiscard]] inline Error coordinator_error(Error error) {
  error.code = coordinator_error(error.code);
  return error;
}

}  // namespace arus::coordinator
