// Quotas of users, clients and addresses, and SCRAM credentials: what kafka-configs does for them.
#pragma once

#include "cli/console.h"
#include "cli/kafka/config_entities.h"

namespace arus::cli::kafka {

env::Task<Result<>> describe_quotas(Session& session, Console& console,
                                    const std::vector<ConfigEntity>& entities);
env::Task<Result<>> alter_quotas(Session& session, const std::vector<ConfigEntity>& entities,
                                 const std::vector<std::pair<std::string, std::string>>& add,
                                 const std::vector<std::string>& remove);

}  // namespace arus::cli::kafka
