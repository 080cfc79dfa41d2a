#include "services/config/yaml_json.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace parley::config {
namespace {

std::string json_of(std::string_view yaml) {
  return to_json<nlohmann::ordered_json>(parse_yaml(yaml, "test.yaml")->root).dump();
}

TEST(YamlJson, keeps_maps_in_order_and_lists) {
  EXPECT_EQ(json_of("{z: [a, b], a: {c: d}}"), R"({"z":["a","b"],"a":{"c":"d"}})");
}

TEST(YamlJson, reads_plain_texts_by_the_core_schema) {
  EXPECT_EQ(json_of("[true, False, null, ~, 12, -3, 18446744073709551615, 1.5, 1e3, .5, text, yes, 1.2.3, .inf, 0x1F]"),
            R"([true,false,null,null,12,-3,18446744073709551615,1.5,1000.0,0.5,"text","yes","1.2.3",".inf","0x1F"])");
}

TEST(YamlJson, takes_quoted_texts_as_texts) { EXPECT_EQ(json_of(R"(["true", '12', ""])"), R"(["true","12",""])"); }

TEST(YamlJson, of_nothing_is_null) { EXPECT_EQ(json_of(""), "null"); }

}  // namespace
}  // namespace parley::config
