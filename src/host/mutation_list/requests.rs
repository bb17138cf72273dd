// SPDX-License-Identifier: Apache-2.0
// Faults of requests and replies.

macro_rules! requests_mutations {
    ({ $($before:tt)* } $next:ident $($others:ident)*) => { $next! { { $($before)*
    // ---- requests ----
    /// A request may have the code 0x01000000.
    OneCodeTooMany:
        "direct_calls.arguments_are_checked_as_ever",
        "send_request.codes_outside_the_range_are_refused",
        "send_request.null_reply_comes_after_the_code";
    /// The largest code is refused.
    OneCodeTooFew: "direct_calls.data_is_handed_over_as_it_is", "send_request.codes_of_the_range_arrive";
    /// A request without an option is asynchronous.
    NoOptionIsAsync: "send_request.no_option_is_sync", "send_request.null_reply_comes_after_the_code";
    /// A missing argument gives an inner error.
    MissingArgumentsGetAnotherCode:
        "death_recipients.missing_arguments_are_refused",
        "identity_text.null_arguments",
        "interface_descriptor.null_arguments",
        "send_request.null_proxy_or_data_comes_first";
    /// A missing reply is noticed before a wrong code.
    NullReplyIsLookedAtFirst:
        "send_request.a_dead_process_is_told_at_once",
        "send_request.codes_outside_the_range_are_refused",
        "send_request.null_reply_comes_after_the_code";
    /// `reserved` of the option may be anything.
    ReservedIsIgnored: "direct_calls.arguments_are_checked_as_ever", "send_request.reserved_comes_before_the_code";
    /// A mode that is neither is asynchronous.
    UnknownModesAreAsync: "send_request.other_modes_are_sync";
    /// An asynchronous request is sent as a synchronous one.
    AsyncRequestsWait:
        "handler_results.async_results_are_thrown_away",
        "nested.async_back_on_a_pool_thread",
        "nested.sync_from_an_async_handler_on_a_pool_thread",
        "send_request.async_leaves_the_reply_alone",
        "send_request.async_returns_when_it_is_queued";
    /// A timeout beyond what a signed number holds is over at once.
    LongTimeoutsAreOver: "send_request.timeout_is_ignored";
    /// A call beyond those that can be under way fails.
    CallersDoNotQueue: "differences.calls_under_way_have_a_limit";
    /// A proxy that is NULL counts as alive.
    NullIsNotDead: "wrappers.destroying_nothing_does_nothing";
    // ---- replies and results ----
    /// A reply carries what stands behind the read cursor of the handler's parcel.
    RepliesLackTheirBegin: "reply_parcels.a_reply_is_read_from_the_start";
    /// A reply parcel that was used keeps what it held.
    UsedRepliesAreKept:
        "reply_parcels.a_reply_that_holds_an_earlier_one",
        "reply_parcels.a_reply_that_was_rewound",
        "reply_parcels.a_reply_that_was_written_to",
        "reply_parcels.a_reply_that_was_written_to_and_read",
        "reply_parcels.an_earlier_reply_that_was_rewound";
    /// The caller gets the reply of a handler that returned an error.
    ErrorsBringTheReply: "handler_results.errors_with_a_reply";
    /// An error is lost where the handler has written to the reply.
    ErrorsWithAReplyAreLost:
        "handler_results.errors_with_a_reply",
        "handler_results.errors_with_a_reply_are_told_once";
    /// The last of the users' own error codes counts as none of them.
    LastUserCodeIsMapped:
        "handler_results.errors_pass_through_a_chain",
        "handler_results.errors_with_a_reply",
        "handler_results.errors_without_a_reply";
    /// An error of an asynchronous handler stops the messages behind it.
    AsyncErrorsEndTheQueue: "handler_results.async_results_are_thrown_away";
    /// What a device does otherwise is logged each time.
    DifferencesAreToldEachTime:
        "differences.a_connected_stub_is_written",
        "differences.a_request_after_the_notice_is_told_once",
        "differences.a_stopped_worker_is_told_once",
        "differences.an_unnoticed_death_is_told_once",
        "handler_results.errors_with_a_reply_are_told_once",
        "reply_parcels.data_and_reply_are_one_parcel",
        "reply_parcels.unfresh_replies_are_told_once";
    /// What a device does otherwise is not logged.
    DifferencesAreNotTold:
        "death_after.leaning_on_the_documentation_is_said_once",
        "reply_parcels.data_and_reply_are_one_parcel",
        "reply_parcels.unfresh_replies_are_told_once";
    /// The write cursor cannot be set back.
    TheWriteCursorStays: "reply_parcels.a_reply_is_what_the_handler_left";
    /// An empty reply makes its parcel read-only.
    EmptyRepliesAreReadOnly: "reply_parcels.an_empty_reply_leaves_the_parcel_fresh";
    /// The reply parcel of a request that failed takes no reply any more.
    ErrorsSpendTheReply: "handler_results.an_error_leaves_the_reply_parcel_fresh";
    /// What a reply replaces stays held.
    ReplacedRepliesStay: "reply_parcels.objects_of_a_replaced_reply_are_let_go";
    // ---- direct calls ----
    /// A direct handler writes to a reply that nobody gets.
    DirectRepliesAreLost:
        "direct_calls.a_direct_handler_destroys_its_stub",
        "direct_calls.direct_calls_nest",
        "direct_calls.the_reply_is_the_callers_own";
    /// A direct call succeeds whatever its handler returns.
    DirectErrorsAreLost: "direct_calls.errors_are_returned", "direct_calls.wrappers_keep_a_destroyed_stub";
    /// A direct call counts as a request of the own process.
    DirectCallsAreRequests:
        "direct_calls.a_proxy_that_came_home_is_direct",
        "direct_calls.inside_a_handler_the_outer_caller_stays",
        "direct_calls.the_identity_stays",
        "identity.direct_calls_in_handlers",
        "identity.direct_calls_outside_of_handlers",
        "identity_text.a_change_in_a_direct_call";
    /// A direct call runs on another thread than its caller's.
    DirectCallsRunElsewhere: "direct_calls.it_runs_on_the_calling_thread";
    /// The reply of a direct call that wants none stays held.
    UnwantedDirectRepliesStay: "handler_results.a_direct_call_has_a_reply";
    } $($others)* } };
}
