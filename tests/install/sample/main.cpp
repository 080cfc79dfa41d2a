#include <cstdio>

#include "libmsg/core/ids.hpp"

int main() {
  const auto id = parley::AgentId::parse("echo/one");
  std::puts(id->str().c_str());
}
