// One request's work on several loops at once: one message for each loop, never for each partition.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "env/event.h"
#include "env/loop.h"
#include "replication/partition_table.h"

namespace arus::replication {

namespace detail {

// What the loops have left to do and what they gave. Lives on the asking loop.
template <class Outcome>
struct FanOut {
  std::vector<Outcome> outcomes;
  std::size_t pending = 0;
  env::Event finished;
};

template <class Item, class Request, class Outcome>
using LoopOperation = env::Task<std::vector<Outcome>> (*)(LoopPartitions&, std::vector<Item>,
                                                          Request);

template <class Item, class Request, class Outcome>
env::Task<void> run_on_loop(LoopPartitions* partitions, LoopOperation<Item, Request, Outcome> run,
                            std::vector<Item> items, std::vector<std::size_t> places,
                            Request request, std::shared_ptr<FanOut<Outcome>> all) {
  // The lambda is called in the same expression and awaited here.
  auto here = co_await env::call(partitions->loop(), [&] [[clang::coro_wrapper]] {
    return run(*partitions, std::move(items), request);
  });
  for (std::size_t i = 0; i < places.size(); ++i) all->outcomes[places[i]] = std::move(here[i]);
  if (--all->pending == 0) all->finished.notify_all();
}

}  // namespace detail

// Runs `run` on the loop of each item, with all items of that loop; `loops` names them, one for
// each item. The outcomes come in the order of the items. Messages to other loops leave before
// this suspends, so that requests of one connection reach each loop in order.
template <class Item, class Request, class Outcome>
env::Task<std::vector<Outcome>> fan_out(PartitionTable& table, std::vector<Item> items,
                                        std::vector<std::size_t> loops, Request request,
                                        detail::LoopOperation<Item, Request, Outcome> run) {
  const std::size_t home = env::Loop::current()->index();
  const bool all_here =
      std::ranges::all_of(loops, [home](std::size_t loop) { return loop == home; });
  if (all_here) co_return co_await run(table.here(), std::move(items), request);
  const auto all = std::make_shared<detail::FanOut<Outcome>>();
  all->outcomes.resize(items.size());
  std::vector<std::vector<Item>> parts(table.loop_count());
  std::vector<std::vector<std::size_t>> places(table.loop_count());
  for (std::size_t i = 0; i < items.size(); ++i) {
    parts[loops[i]].push_back(std::move(items[i]));
    places[loops[i]].push_back(i);
  }
  for (const auto& part : parts) all->pending += part.empty() ? 0 : 1;
  for (std::size_t loop = 0; loop < parts.size(); ++loop) {
    if (parts[loop].empty()) continue;
    env::spawn_detached(detail::run_on_loop<Item, Request, Outcome>(
        &table.on(loop), run, std::move(parts[loop]), std::move(places[loop]), request, all));
  }
  while (all->pending > 0) co_await all->finished.wait();
  co_return std::move(all->outcomes);
}

}  // namespace arus::replication
