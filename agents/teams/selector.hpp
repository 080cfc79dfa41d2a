// strategy: selector. A model picks the next speaker by name. Its answer is checked: exactly one name, of a candidate;
// a bad answer is sent back with what is wrong, a few times, and then somebody is chosen without it. Pure; one thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agents/teams/strategy.hpp"

namespace parley::teams {

struct SelectorOptions {
  /// `{{roles}}` (name and description of the candidates), `{{candidates}}` (names) and `{{history}}` are filled in.
  std::string prompt;
  /// The last speaker may be chosen again.
  bool may_repeat = false;
  /// Questions to the model for one choice, the first included.
  std::size_t max_attempts = 3;
  /// Who speaks when the model has not chosen; unset: the last speaker if it may repeat, else the next seat.
  std::optional<std::size_t> fallback = std::nullopt;
  /// After whom only certain members may speak, by seat. Members that are not in it: after them all others may.
  std::map<std::size_t, std::vector<std::size_t>> followers = {};
  /// How much of the thread the model sees.
  HistoryLimits history{.max_messages = 30, .max_bytes = std::size_t{32} * 1024};
};

[[nodiscard]] std::string default_selector_prompt();

class Selector final : public Strategy {
 public:
  explicit Selector(SelectorOptions options) : options_(std::move(options)) {}

  void begin(const Scene& scene) override;
  Step next(const Scene& scene) override;
  void heard(const std::vector<Outcome>& outcomes, const Scene& scene) override;
  void advised(const Result<std::string>& advice, const Scene& scene) override;
  [[nodiscard]] std::string save() const override;
  Result<> load(std::string_view state) override;

 private:
  [[nodiscard]] std::vector<std::size_t> candidates(const Scene& scene) const;
  [[nodiscard]] std::size_t fallback(const Scene& scene) const;
  [[nodiscard]] std::string question(const Scene& scene) const;

  SelectorOptions options_;
  std::optional<std::size_t> last_;    ///< seat of the last speaker
  std::optional<std::size_t> chosen_;  ///< who speaks next
  std::string reason_;
  std::vector<std::string> exchange_;  ///< of the choice under way
};

}  // namespace parley::teams
