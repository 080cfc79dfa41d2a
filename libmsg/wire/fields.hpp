// How structs become msgpack maps: PARLEY_FIELDS(a, b) in a struct writes its members by name and reads them back. On
// the wire it is what MSGPACK_DEFINE_MAP writes, so either serves a typed message; this one reads without building a
// map of its own for each message, which was the largest part of what a small message cost.
//
// Reading: keys that are no member are ignored, members without a key keep their value, a map whose keys are not texts
// and a value of the wrong type throw msgpack::type_error. Of two equal keys one is taken. Pure; any thread.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <msgpack.hpp>
#include <string_view>

namespace parley::wire::detail {

consteval std::size_t count_names(std::string_view list) {
  return static_cast<std::size_t>(std::ranges::count(list, ',')) + 1;
}

/// The names in `a, b, c`.
template <std::size_t Count>
consteval std::array<std::string_view, Count> field_names(std::string_view list) {
  std::array<std::string_view, Count> names;
  for (std::string_view& name : names) {
    list.remove_prefix(list.find_first_not_of(' '));
    name = list.substr(0, list.find_first_of(" ,"));
    list.remove_prefix(list.find(',') == std::string_view::npos ? list.size() : list.find(',') + 1);
  }
  return names;
}

/// The entries of a map, looked for in the order in which they mostly come.
class FieldCursor {
 public:
  explicit FieldCursor(const msgpack::object& source) {
    if (source.type != msgpack::type::MAP) throw msgpack::type_error();
    map_ = source.via.map;
    for (std::uint32_t i = 0; i < map_.size; ++i) {
      if (map_.ptr[i].key.type != msgpack::type::STR) throw msgpack::type_error();
    }
  }

  template <class Field>
  void read(std::string_view name, Field& field) {
    for (std::uint32_t tried = 0; tried < map_.size; ++tried) {
      const msgpack::object_kv& entry = map_.ptr[next_];
      next_ = next_ + 1 == map_.size ? 0 : next_ + 1;
      if (std::string_view(entry.key.via.str.ptr, entry.key.via.str.size) != name) continue;
      entry.val.convert(field);
      return;
    }
  }

 private:
  msgpack::object_map map_{};
  std::uint32_t next_ = 0;
};

template <class Packer, std::size_t Count, class... Fields>
void pack_fields(Packer& packer, const std::array<std::string_view, Count>& names, const Fields&... fields) {
  packer.pack_map(Count);
  const std::string_view* name = names.data();
  const auto pack_one = [&](const auto& field) {
    packer.pack_str(static_cast<std::uint32_t>(name->size()))
        .pack_str_body(name->data(), static_cast<std::uint32_t>(name->size()));
    packer.pack(field);
    ++name;
  };
  (pack_one(fields), ...);
}

template <std::size_t Count, class... Fields>
void unpack_fields(const msgpack::object& source, const std::array<std::string_view, Count>& names, Fields&... fields) {
  FieldCursor cursor(source);
  const std::string_view* name = names.data();
  (cursor.read(*name++, fields), ...);
}

}  // namespace parley::wire::detail

#define PARLEY_FIELD_NAMES(list) ::parley::wire::detail::field_names<::parley::wire::detail::count_names(list)>(list)

/// At the end of a struct, with all of its members that travel.
#define PARLEY_FIELDS(...)                                                           \
  template <class ParleyPacker>                                                      \
  void msgpack_pack(ParleyPacker& parley_packer) const {                             \
    static constexpr auto kParleyNames = PARLEY_FIELD_NAMES(#__VA_ARGS__);           \
    ::parley::wire::detail::pack_fields(parley_packer, kParleyNames, __VA_ARGS__);   \
  }                                                                                  \
  void msgpack_unpack(const msgpack::object& parley_object) {                        \
    static constexpr auto kParleyNames = PARLEY_FIELD_NAMES(#__VA_ARGS__);           \
    ::parley::wire::detail::unpack_fields(parley_object, kParleyNames, __VA_ARGS__); \
  }
