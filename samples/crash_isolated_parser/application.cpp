// SPDX-License-Identifier: Apache-2.0
// Has documents parsed in a child process: one that crashes the parser costs a new child, and not the application.
#include "parser.h"

#include <cinttypes>
#include <cstdio>
#include <memory>
#include <utility>

#include "connected_child.h"
#include "event.h"
#include "owned.h"

namespace {

void OnDeath(void *userData)
{
    SharedEvent<bool>(userData).Tell(true);
}

// A parser in a process of its own.
class Parser {
public:
    // Nobody where it could not be started; says why.
    static std::unique_ptr<Parser> Start()
    {
        ConnectedChild child = StartConnectedChild(PARSER_LIBRARY);
        if (child.proxy == nullptr) {
            std::fprintf(stderr, "cannot start a parser (%d)\n", child.code);
            return nullptr;
        }
        auto died = std::make_shared<Event<bool>>();
        RecipientPtr recipient(
            OH_IPCDeathRecipient_Create(OnDeath, ReleaseFromLibrary<bool>, ShareWithLibrary(died)));
        int ret = recipient == nullptr ? OH_IPC_INNER_ERROR
                                       : OH_IPCRemoteProxy_AddDeathRecipient(child.proxy.get(), recipient.get());
        if (ret != OH_IPC_SUCCESS) {
            std::fprintf(stderr, "cannot watch the parser (%d)\n", ret);
            return nullptr;
        }
        return std::unique_ptr<Parser>(new Parser(std::move(child.proxy), std::move(recipient), std::move(died)));
    }

    // A recipient that is registered keeps the proxy. With the last proxy goes the child's stub, and with that the child.
    ~Parser()
    {
        if (OH_IPCRemoteProxy_IsRemoteDead(proxy_.get()) == 0) {
            OH_IPCRemoteProxy_RemoveDeathRecipient(proxy_.get(), recipient_.get());
        }
    }

    Parser(const Parser &) = delete;
    Parser &operator=(const Parser &) = delete;

    int CountEntries(const char *document, int32_t &entries) const
    {
        ParcelPtr data(OH_IPCParcel_Create());
        ParcelPtr reply(OH_IPCParcel_Create());
        if (data == nullptr || reply == nullptr) {
            return OH_IPC_INNER_ERROR;
        }
        if (OH_IPCParcel_WriteInterfaceToken(data.get(), PARSER_TOKEN) != OH_IPC_SUCCESS ||
            OH_IPCParcel_WriteString(data.get(), document) != OH_IPC_SUCCESS) {
            return OH_IPC_PARCEL_WRITE_ERROR;
        }
        OH_IPC_MessageOption option = { OH_IPC_REQUEST_MODE_SYNC, 0, nullptr };
        int ret = OH_IPCRemoteProxy_SendRequest(proxy_.get(), PARSER_COUNT_ENTRIES, data.get(), reply.get(), &option);
        return ret == OH_IPC_SUCCESS ? OH_IPCParcel_ReadInt32(reply.get(), &entries) : ret;
    }

    // Returns when the child's death has been told; false where it is not.
    bool AwaitDeath()
    {
        bool died = false;
        return died_->Wait(died);
    }

private:
    Parser(ProxyPtr proxy, RecipientPtr recipient, std::shared_ptr<Event<bool>> died)
        : proxy_(std::move(proxy)), recipient_(std::move(recipient)), died_(std::move(died))
    {
    }

    ProxyPtr proxy_;
    RecipientPtr recipient_;
    std::shared_ptr<Event<bool>> died_;
};

} // namespace

int main()
{
    const char *const documents[] = {
        "document\nname=adder\nsize=3\n",
        "a picture",
        "document\nname=subtracter\nsize\n",
        "document\nname=multiplier\nsize=4\ncolour=red\n",
    };
    std::unique_ptr<Parser> parser = Parser::Start();
    int number = 0;
    for (const char *document : documents) {
        if (parser == nullptr) {
            return 1;
        }
        number++;
        int32_t entries = 0;
        int ret = parser->CountEntries(document, entries);
        if (ret == OH_IPC_SUCCESS) {
            std::printf("document %d: %" PRId32 " entries\n", number, entries);
        } else if (ret == PARSER_NOT_A_DOCUMENT) {
            std::printf("document %d: not a document\n", number);
        } else if (ret == OH_IPC_DEAD_REMOTE_OBJECT && parser->AwaitDeath()) {
            std::printf("document %d: the parser crashed; the next document gets another one\n", number);
            parser = Parser::Start();
        } else {
            std::fprintf(stderr, "document %d: the parser cannot be asked (%d)\n", number, ret);
            return 1;
        }
    }
    return 0;
}
