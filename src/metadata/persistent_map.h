// An ordered map whose versions share what they have in common.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

#include "base/assert.h"

namespace arus::metadata {

// An immutable balanced (AVL) tree: with() and without() leave this map as it is and give a new one
// that shares all nodes but those on one path, in O(log n). Copying a map copies one pointer, so a
// map may be handed to every loop; reading is const and thread-safe. Iteration is in key order. One
// node costs the entry and 48 bytes. Compare is transparent, so that text is found by a view.
template <class Key, class Value, class Compare = std::less<>>
class PersistentMap {
  struct Node;
  using NodePointer = std::shared_ptr<const Node>;

 public:
  struct Entry {
    Key key;
    Value value;
  };

  // Walks the entries in key order. Valid as long as the map, or a copy of it, lives.
  class Iterator {
   public:
    using value_type = Entry;
    using difference_type = std::ptrdiff_t;
    using reference = const Entry&;
    using pointer = const Entry*;
    using iterator_category = std::forward_iterator_tag;

    Iterator() = default;
    reference operator*() const { return path_[depth_ - 1]->entry; }
    pointer operator->() const { return &path_[depth_ - 1]->entry; }
    Iterator& operator++() {
      const Node* node = path_[--depth_]->right.get();
      descend(node);
      return *this;
    }
    Iterator operator++(int) {
      Iterator before = *this;
      ++*this;
      return before;
    }
    friend bool operator==(const Iterator& a, const Iterator& b) {
      return a.depth_ == b.depth_ && (a.depth_ == 0 || a.top() == b.top());
    }

   private:
    friend class PersistentMap;
    const Node* top() const { return path_[depth_ - 1]; }
    void descend(const Node* node) {
      for (; node != nullptr; node = node->left.get()) path_[depth_++] = node;
    }
    // An AVL tree of height 48 has more entries than memory.
    std::array<const Node*, 48> path_{};
    std::size_t depth_ = 0;
  };
  using const_iterator = Iterator;

  PersistentMap() = default;

  // Builds a map from entries in strictly ascending key order, in O(n).
  template <class Range>
  static PersistentMap of_sorted(Range&& entries) {
    std::vector<Entry> all;
    for (auto&& entry : entries) {
      ARUS_ASSERT(all.empty() || Compare{}(all.back().key, entry.key));
      all.push_back(Entry{entry.key, entry.value});
    }
    return PersistentMap(build(all, 0, all.size()), all.size());
  }

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }

  // The value, or null. Valid as long as this map, or a copy of it, lives.
  template <class Lookup>
  [[nodiscard]] const Value* find(const Lookup& key) const {
    const Node* node = root_.get();
    while (node != nullptr) {
      if (Compare{}(key, node->entry.key)) {
        node = node->left.get();
      } else if (Compare{}(node->entry.key, key)) {
        node = node->right.get();
      } else {
        return &node->entry.value;
      }
    }
    return nullptr;
  }
  template <class Lookup>
  [[nodiscard]] bool contains(const Lookup& key) const {
    return find(key) != nullptr;
  }

  [[nodiscard]] Iterator begin() const {
    Iterator at;
    at.descend(root_.get());
    return at;
  }
  [[nodiscard]] Iterator end() const { return {}; }
  // The first entry whose key is not below `key`.
  template <class Lookup>
  [[nodiscard]] Iterator lower_bound(const Lookup& key) const {
    Iterator at;
    const Node* node = root_.get();
    while (node != nullptr) {
      if (Compare{}(node->entry.key, key)) {
        node = node->right.get();
      } else {
        at.path_[at.depth_++] = node;
        node = node->left.get();
      }
    }
    return at;
  }

  // This map and the entry, in place of one with the same key.
  [[nodiscard]] PersistentMap with(Key key, Value value) const {
    bool added = false;
    NodePointer root = insert(root_, key, value, added);
    return PersistentMap(std::move(root), size_ + (added ? 1 : 0));
  }
  void set(Key key, Value value) { *this = with(std::move(key), std::move(value)); }

  // This map without the key; the same map where it has none.
  template <class Lookup>
  [[nodiscard]] PersistentMap without(const Lookup& key) const {
    if (!contains(key)) return *this;
    return PersistentMap(remove(root_, key), size_ - 1);
  }
  template <class Lookup>
  void erase(const Lookup& key) {
    *this = without(key);
  }

 private:
  struct Node {
    Entry entry;
    NodePointer left;
    NodePointer right;
    std::int32_t height = 1;
  };

  PersistentMap(NodePointer root, std::size_t size) : root_(std::move(root)), size_(size) {}

  static std::int32_t height(const NodePointer& node) { return node ? node->height : 0; }

  static NodePointer make(const Entry& entry, NodePointer left, NodePointer right) {
    const std::int32_t tallest = std::max(height(left), height(right));
    return std::make_shared<const Node>(
        Node{entry, std::move(left), std::move(right), tallest + 1});
  }

  // A node whose sides differ in height by two at most, with the difference rotated away.
  static NodePointer balance(const Entry& entry, NodePointer left, NodePointer right) {
    if (height(left) > height(right) + 1) {
      if (height(left->left) >= height(left->right)) {
        return make(left->entry, left->left, make(entry, left->right, std::move(right)));
      }
      const NodePointer middle = left->right;
      return make(middle->entry, make(left->entry, left->left, middle->left),
                  make(entry, middle->right, std::move(right)));
    }
    if (height(right) > height(left) + 1) {
      if (height(right->right) >= height(right->left)) {
        return make(right->entry, make(entry, std::move(left), right->left), right->right);
      }
      const NodePointer middle = right->left;
      return make(middle->entry, make(entry, std::move(left), middle->left),
                  make(right->entry, middle->right, right->right));
    }
    return make(entry, std::move(left), std::move(right));
  }

  static NodePointer insert(const NodePointer& node, Key& key, Value& value, bool& added) {
    if (!node) {
      added = true;
      return make(Entry{std::move(key), std::move(value)}, nullptr, nullptr);
    }
    if (Compare{}(key, node->entry.key)) {
      return balance(node->entry, insert(node->left, key, value, added), node->right);
    }
    if (Compare{}(node->entry.key, key)) {
      return balance(node->entry, node->left, insert(node->right, key, value, added));
    }
    return make(Entry{std::move(key), std::move(value)}, node->left, node->right);
  }

  template <class Lookup>
  static NodePointer remove(const NodePointer& node, const Lookup& key) {
    if (Compare{}(key, node->entry.key)) {
      return balance(node->entry, remove(node->left, key), node->right);
    }
    if (Compare{}(node->entry.key, key)) {
      return balance(node->entry, node->left, remove(node->right, key));
    }
    if (!node->left) return node->right;
    if (!node->right) return node->left;
    const Node* next = node->right.get();
    while (next->left) next = next->left.get();
    return balance(next->entry, node->left, remove_first(node->right));
  }

  static NodePointer remove_first(const NodePointer& node) {
    if (!node->left) return node->right;
    return balance(node->entry, remove_first(node->left), node->right);
  }

  static NodePointer build(std::vector<Entry>& entries, std::size_t from, std::size_t to) {
    if (from == to) return nullptr;
    const std::size_t middle = from + (to - from) / 2;
    NodePointer left = build(entries, from, middle);
    NodePointer right = build(entries, middle + 1, to);
    const std::int32_t tallest = std::max(height(left), height(right));
    return std::make_shared<const Node>(
        Node{std::move(entries[middle]), std::move(left), std::move(right), tallest + 1});
  }

  NodePointer root_;
  std::size_t size_ = 0;
};

}  // namespace arus::metadata
