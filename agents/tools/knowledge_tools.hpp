// What a model needs of a knowledge base: `remember` and `recall`, and the facts that are put before an assistant
// without being asked for. Loop thread only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "agents/tools/tool.hpp"
#include "libmsg/messages/knowledge.hpp"

namespace parley::tools {

/// Which knowledge base, and which scope of it.
struct KnowledgeSource {
  std::string base;   ///< agent type or `@capability` of a knowledge base
  std::string scope;  ///< empty: the conversation's own
  std::uint32_t top = 5;
  std::size_t max_bytes = std::size_t{8} * 1024;  ///< of the facts' text
};

/// Two tools, `remember` and `recall`; models see them with the prefix. The list never changes.
class KnowledgeTools final : public Toolset {
 public:
  KnowledgeTools(const std::string& prefix, const KnowledgeSource& source);

  [[nodiscard]] Task<Result<std::shared_ptr<const ToolsetListing>>> list(Context& turn) override;

 private:
  std::shared_ptr<const ToolsetListing> tools_;
};

/// What is known about a text, for an assistant's prompt.
class KnownFacts {
 public:
  explicit KnownFacts(KnowledgeSource source) : source_(std::move(source)) {}

  /// A line for each of the most relevant facts; empty when nothing is known. A knowledge base that does not answer
  /// within 2 s gives nothing, and a warning is logged once. Fails with `cancelled` only.
  [[nodiscard]] Task<Result<std::string>> about(std::string text, Context& turn);

 private:
  KnowledgeSource source_;
  bool has_failed_ = false;
};

/// One fact as a line: `[12] decision by hr/alice on 2026-11-21: … (because …; source: …)`. Pure.
[[nodiscard]] std::string fact_line(const messages::Fact& fact);

}  // namespace parley::tools
