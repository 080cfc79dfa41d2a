#include "services/config/problems.hpp"

#include <utility>

namespace parley::config {
namespace {

constexpr std::size_t kMaxKept = 100;
constexpr std::size_t kMaxShownBytes = 60;

/// Outside text for a terminal: shortened, and without control characters.
std::string printable(const std::string& text) {
  std::string shown;
  for (const char letter : text.substr(0, kMaxShownBytes)) {
    const bool is_control = static_cast<unsigned char>(letter) < 0x20 || letter == 0x7F;
    shown += is_control ? '?' : letter;
  }
  if (text.size() > kMaxShownBytes) shown += "…";
  return shown;
}

}  // namespace

std::string ConfigProblem::str() const {
  std::string text = file;
  if (line > 0) text += ":" + std::to_string(line);
  text += ": ";
  if (!key.empty()) text += printable(key) + ": ";
  if (!value.empty()) text += "'" + printable(value) + "': ";
  return text + expected;
}

void ConfigProblems::add(ConfigProblem problem) {
  if (items_.size() == kMaxKept) {
    ++left_out_;
    return;
  }
  items_.push_back(std::move(problem));
}

void ConfigProblems::append(const ConfigProblems& more) {
  for (const ConfigProblem& problem : more.items_) add(problem);
  left_out_ += more.left_out_;
}

std::string ConfigProblems::str() const {
  std::string text;
  for (const ConfigProblem& problem : items_) {
    if (!text.empty()) text += '\n';
    text += problem.str();
  }
  if (left_out_ > 0) text += "\nand " + std::to_string(left_out_) + " more";
  return text;
}

}  // namespace parley::config
