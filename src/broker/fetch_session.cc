#include "broker/fetch_session.h"

#include <algorithm>
#include <tuple>

namespace arus::broker {

void FetchSession::set(const FetchTarget& target) {
  const auto known = by_key_.find(target.key);
  if (known == by_key_.end()) {
    targets_.push_back(target);
    by_key_.emplace(target.key, std::prev(targets_.end()));
    return;
  }
  FetchTarget& mine = *known->second;
  mine.offset = target.offset;
  mine.max_bytes = target.max_bytes;
  mine.leader_epoch = target.leader_epoch;
  mine.last_fetched_epoch = target.last_fetched_epoch;
}

void FetchSession::forget(const FetchKey& key) {
  const auto known = by_key_.find(key);
  if (known == by_key_.end()) return;
  targets_.erase(known->second);
  by_key_.erase(known);
}

std::shared_ptr<FetchSession> FetchSessions::open(const std::vector<FetchTarget>& targets,
                                                  bool uses_topic_ids, env::TimePoint now) {
  if (!make_room(targets.size(), now)) return nullptr;
  auto session = std::make_shared<FetchSession>(free_id(), uses_topic_ids, now);
  for (const auto& target : targets) session->set(target);
  session->advance(now);
  targets_ += session->size();
  sessions_.emplace(session->id(), session);
  return session;
}

Result<std::shared_ptr<FetchSession>> FetchSessions::find(std::int32_t id, std::int32_t epoch,
                                                          bool uses_topic_ids) {
  const auto known = sessions_.find(id);
  if (known == sessions_.end()) {
    return fail(ErrorCode::fetch_session_id_not_found, "There is no such fetch session");
  }
  if (known->second->epoch() != epoch || known->second->busy()) {
    return fail(ErrorCode::invalid_fetch_session_epoch, "The fetch session is at another epoch");
  }
  if (known->second->uses_topic_ids() != uses_topic_ids) {
    return fail(ErrorCode::fetch_session_topic_id_error,
                "The fetch session names topics in the other way");
  }
  return known->second;
}

void FetchSessions::close(std::int32_t id) {
  const auto known = sessions_.find(id);
  if (known == sessions_.end()) return;
  targets_ -= known->second->size();
  sessions_.erase(known);
}

bool FetchSessions::make_room(std::size_t wanted_targets, env::TimePoint now) {
  if (max_sessions_ == 0 || wanted_targets > max_targets) return false;
  while (sessions_.size() >= max_sessions_ || targets_ + wanted_targets > max_targets) {
    // Ties are broken by the id, so that the choice does not depend on the order of hashing.
    std::shared_ptr<FetchSession> stale;
    std::shared_ptr<FetchSession> smallest;
    for (const auto& [id, session] : sessions_) {
      if (session->used() + eviction_age <= now &&
          (!stale || std::tuple(session->used(), id) < std::tuple(stale->used(), stale->id()))) {
        stale = session;
      }
      if (session->created() + eviction_age <= now && session->size() < wanted_targets &&
          (!smallest ||
           std::tuple(session->size(), id) < std::tuple(smallest->size(), smallest->id()))) {
        smallest = session;
      }
    }
    const auto& victim = stale ? stale : smallest;
    if (!victim) return false;
    close(victim->id());
  }
  return true;
}

std::int32_t FetchSessions::free_id() {
  for (;;) {
    const auto id = static_cast<std::int32_t>(random_.below(INT32_MAX - 1) + 1);
    if (!sessions_.contains(id)) return id;
  }
}

}  // namespace arus::broker
