// SPDX-License-Identifier: Apache-2.0
// Faults of whom a handler acts for.

macro_rules! identity_mutations {
    ({ $($before:tt)* } $next:ident $($others:ident)*) => { $next! { { $($before)*
    // ---- identity ----
    /// The handler of an asynchronous request is told its sender's process.
    AsyncPidIsTold:
        "identity.async_sent_in_a_handler",
        "identity.no_pid_in_an_async_handler",
        "identity.token_id_in_an_async_handler";
    /// A handler is told another user than its caller's.
    AnotherUserIsTold:
        "identity.caller_in_a_sync_handler",
        "identity.callers_of_concurrent_handlers",
        "identity.callers_of_nested_requests",
        "identity.own_identity_in_callbacks",
        "identity.own_identity_outside_of_handlers",
        "nested.a_third_party_on_a_pool_thread";
    /// A handler is told a first token id.
    FirstTokenIsTold:
        "identity.own_token_id_outside_of_handlers",
        "identity.token_id_in_an_async_handler",
        "identity.token_ids";
    /// A handler is not told its caller's token id.
    TokenIdsAreNotTold:
        "identity.own_token_id_outside_of_handlers",
        "identity.token_ids",
        "identity_text.reset_shows_token_ids";
    /// `IPCKIT_TOKEN_ID` is not looked at.
    TokenIdIsIgnored:
        "identity.own_token_id_outside_of_handlers",
        "identity.token_ids",
        "identity_text.reset_shows_token_ids";
    /// A nested handler is told the caller of the outermost one.
    OutermostCallerIsTold:
        "nested.back_to_a_handler_that_waits",
        "nested.nesting_does_not_starve_pools",
        "nested.recursion_through_three_processes";
    /// A thread acts for a caller whose request it has handled.
    IdentityOutlivesItsHandler:
        "identity.caller_in_a_sync_handler",
        "identity.callers_of_concurrent_handlers",
        "identity.callers_of_nested_requests";
    /// `ResetCallingIdentity` only tells the identity.
    ResetChangesNothing:
        "identity_text.a_change_ends_on_a_waiting_thread",
        "identity_text.a_change_ends_with_its_handler",
        "identity_text.a_changed_identity_and_nested_requests",
        "identity_text.reset_in_a_handler",
        "identity_text.reset_without_memory";
    /// `SetCallingIdentity` takes any text.
    AnyTextIsAnIdentity: "identity_text.all_texts_in_a_handler";
    /// `SetCallingIdentity` refuses a text outside of handlers.
    TextsAreReadOutsideOfHandlers: "identity_text.all_texts_outside_of_handlers";
    /// The text of an identity lacks the token id.
    TextHasNoTokenId: "identity_text.reset_in_an_async_handler", "identity_text.reset_shows_token_ids";
    } $($others)* } };
}
