// From one state of a transactional id to the next.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "base/result.h"
#include "coordinator/transaction/transaction_state.h"
#include "protocol/api/end_txn.h"
#include "protocol/api/init_producer_id.h"

namespace arus::coordinator {

// The next producer id, or nothing while more are being fetched (the client is told that the
// coordinator is loading and asks again).
using NextProducerId = std::function<std::optional<ProducerId>()>;

// Who the producer is once the markers of a prepared transaction are written: a new id takes over
// from a used-up one.
struct Successor {
  ProducerId id = no_producer;
  std::int16_t epoch = no_producer_epoch;
};
[[nodiscard]] Successor successor_of(const Transaction& prepared);

// Kafka's rules: what a request may change of a transactional id, as its next record will say it,
// or why it is refused. Changes nothing itself. Made for one decision.
class Transitions {
 public:
  // `transaction_version` is the cluster's feature level.
  Transitions(std::int64_t now_ms, std::int16_t transaction_version,
              const NextProducerId& next_producer_id)
      : now_ms_(now_ms),
        transaction_version_(transaction_version),
        next_producer_id_(next_producer_id) {}

  using Next = Result<Transaction>;
  // `current` is null for a new transactional id. Where a transaction is open the next state is
  // its abort, and the client asks again.
  [[nodiscard]] Next init(const protocol::InitProducerIdRequest& request,
                          const Transaction* current) const;
  // The error code `none` where it has been done before and the answer was lost.
  [[nodiscard]] Next end(const protocol::EndTxnRequest& request, const Transaction& current,
                         std::int16_t client_version) const;
  // Aborts an open transaction with an epoch that its producer does not have.
  [[nodiscard]] Next fence(const Transaction& current) const;
  [[nodiscard]] Transaction complete(const Transaction& prepared) const;

 private:
  // In protocol 2 the epoch says which transaction is meant: the current one, or the one before
  // it, whose end is asked for again. In protocol 1 the state alone has to tell.
  [[nodiscard]] Next end_v1(const protocol::EndTxnRequest& request,
                            const Transaction& current) const;
  [[nodiscard]] Next end_v2(const protocol::EndTxnRequest& request, const Transaction& current,
                            std::int16_t client_version) const;
  [[nodiscard]] Next prepare(const Transaction& current, bool commit, std::int16_t client_version,
                             bool without_partitions) const;
  [[nodiscard]] Result<ProducerId> take_producer_id() const;

  std::int64_t now_ms_;
  std::int16_t transaction_version_;
  const NextProducerId& next_producer_id_;
};

}  // namespace arus::coordinator
