// Reads the web for a model: GET and whatever else is allowed, from allowed hosts only, never from an address inside
// the network unless that is allowed, too. The address is judged when the connection is made, so a name that resolves
// to another address the second time gains nothing. Redirects are followed under the same rules. Loop thread only.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "agents/http/http_transfer.hpp"
#include "agents/tools/tool.hpp"
#include "agents/tools/web_rules.hpp"

namespace parley::tools {

/// A header that only one host gets.
struct WebCredential {
  HostRule host;
  std::string header;
  std::string prefix;  ///< of its value: `Bearer `
  std::string secret;
};

struct HttpToolOptions {
  std::string name;
  std::string description = {};  ///< empty: one that says which hosts there are
  WebRules rules;
  std::vector<std::string> methods = {"GET"};
  std::vector<std::string> headers = {};  ///< `Name: value`, sent to every host
  std::vector<WebCredential> credentials = {};
  std::size_t max_redirects = 5;
  std::size_t max_response_bytes = std::size_t{2} * 1024 * 1024;
  bool has_links = true;  ///< addresses of links stay in the text of a page
};

class HttpTool final : public Tool {
 public:
  HttpTool(HttpToolOptions options, std::shared_ptr<http::CurlMulti> multi);

  [[nodiscard]] const llm::ToolSpec& spec() const override { return spec_; }
  [[nodiscard]] Task<Result<messages::ToolResult>> call(nlohmann::json arguments, ToolContext& context) override;

 private:
  /// What is asked for; changes with each redirect.
  struct Visit {
    http::WebUrl url;
    std::string method;
    std::string body;
    std::string content_type;
  };
  struct Page {
    int status = 0;
    std::string content_type;
    std::string location;
    std::string body;
    bool is_cut = false;
  };

  [[nodiscard]] Task<Result<Page>> fetch(const Visit& visit, ToolContext& context) const;
  [[nodiscard]] http::HttpRequest request_for(const Visit& visit) const;
  [[nodiscard]] Result<> redirect(Visit& visit, const Page& page) const;
  [[nodiscard]] messages::ToolResult result_of(const Visit& visit, Page page) const;
  void hide_credentials(std::string& text) const;

  HttpToolOptions options_;
  std::shared_ptr<http::CurlMulti> multi_;
  llm::ToolSpec spec_;
};

}  // namespace parley::tools
