// SPDX-License-Identifier: Apache-2.0
// Each fault, what it breaks, and tests of c-tests/conformance/ that have to fail with it. The library takes the names from
// here, tools/mutants/ the rest.

mutations! {
    // ---- data that is sent ----
    /// A request carries what stands behind the read cursor of its data.
    DataBehindTheCursorIsSent: "harness_itself.counters_are_shared";
    /// An asynchronous request without data is refused.
    EmptyDataIsRefused: "harness_itself.counters_are_shared";
    /// Data is empty after it was sent.
    SentDataIsEmptied: "harness_itself.counters_are_shared";
    /// Received data that was passed on is not emptied.
    PassedOnDataStays: "harness_itself.counters_are_shared";
    /// Received data has a size that is a multiple of 4.
    OddSizesArePadded: "harness_itself.counters_are_shared";
    /// Received data has 64 KiB at the most.
    LongDataIsCut: "harness_itself.counters_are_shared";
    /// Received data has 500 objects at the most.
    ManyObjectsAreLost: "harness_itself.counters_are_shared";
    /// An object is sent though its offset is no multiple of 4.
    ObjectsMayLieAnywhere: "harness_itself.counters_are_shared";
    /// A received parcel can be written to.
    ReceivedParcelsTakeWrites: "harness_itself.counters_are_shared";
    // ---- requests ----
    /// A request may have the code 0x01000000.
    OneCodeTooMany: "harness_itself.counters_are_shared";
    /// A missing reply is noticed before a wrong code.
    NullReplyIsLookedAtFirst: "harness_itself.counters_are_shared";
    /// `reserved` of the option may be anything.
    ReservedIsIgnored: "harness_itself.counters_are_shared";
    /// A mode that is neither is asynchronous.
    UnknownModesAreAsync: "harness_itself.counters_are_shared";
    /// An asynchronous request is sent as a synchronous one.
    AsyncRequestsWait: "harness_itself.counters_are_shared";
    // ---- replies and results ----
    /// A reply carries what stands behind the read cursor of the handler's parcel.
    RepliesLackTheirBegin: "harness_itself.counters_are_shared";
    /// A reply parcel that was used keeps what it held.
    UsedRepliesAreKept: "harness_itself.counters_are_shared";
    /// The caller gets the reply of a handler that returned an error.
    ErrorsBringTheReply: "harness_itself.counters_are_shared";
    /// An error is lost where the handler has written to the reply.
    ErrorsWithAReplyAreLost: "harness_itself.counters_are_shared";
    /// The last of the users' own error codes counts as none of them.
    LastUserCodeIsMapped: "harness_itself.counters_are_shared";
    /// An error of an asynchronous handler stops the messages behind it.
    AsyncErrorsEndTheQueue: "harness_itself.counters_are_shared";
    /// What a device does otherwise is logged each time.
    DifferencesAreToldEachTime: "harness_itself.counters_are_shared";
    /// What a device does otherwise is not logged.
    DifferencesAreNotTold: "harness_itself.counters_are_shared";
    // ---- direct calls ----
    /// A direct handler writes to a reply that nobody gets.
    DirectRepliesAreLost: "harness_itself.counters_are_shared";
    /// A direct call succeeds whatever its handler returns.
    DirectErrorsAreLost: "harness_itself.counters_are_shared";
    /// A direct call counts as a request of the own process.
    DirectCallsAreRequests: "harness_itself.counters_are_shared";
    // ---- room ----
    /// Replies that a process holds take none of its room.
    RepliesTakeNoRoom: "harness_itself.counters_are_shared";
    /// Synchronous requests take none of their receiver's room.
    SyncTakesNoRoom: "harness_itself.counters_are_shared";
    /// A message keeps its room for ever.
    RoomIsNotGivenBack: "harness_itself.counters_are_shared";
    /// A message takes 64 bytes more than its data.
    MessagesTakeMoreRoom: "harness_itself.counters_are_shared";
    /// Asynchronous messages may take all of the room.
    AsyncMayTakeAllRoom: "harness_itself.counters_are_shared";
    /// Synchronous requests take no room from asynchronous ones.
    AsyncHasRoomOfItsOwn: "harness_itself.counters_are_shared";
    /// A sender does not count what others have sent.
    EachSenderHasItsRoom: "harness_itself.counters_are_shared";
    /// `IPCKIT_RECEIVE_BUFFER` is not looked at.
    RoomCannotBeRaised: "harness_itself.counters_are_shared";
    /// A refused message's receiver is not told.
    RefusalsNameNobody: "harness_itself.counters_are_shared";
    // ---- asynchronous order ----
    /// The asynchronous message that was sent last is handled first.
    LastAsyncComesFirst: "harness_itself.counters_are_shared";
    /// Any free worker takes the next asynchronous message of a stub.
    AsyncIsHandledAtOnce: "harness_itself.counters_are_shared";
    /// A process handles one asynchronous message at a time.
    AsyncIsHandledOneByOne: "harness_itself.counters_are_shared";
    /// The time of an asynchronous message goes backwards.
    AsyncTimesAreReversed: "harness_itself.counters_are_shared";
    /// A process handles one request at a time.
    RequestsAreHandledOneByOne: "harness_itself.counters_are_shared";
    // ---- requests back ----
    /// A request back to a waiting thread is handled by the pool.
    RequestsBackGoToThePool: "harness_itself.counters_are_shared";
    /// A request back is handled by any waiting thread.
    AnyWaitingThreadIsTheRightOne: "harness_itself.counters_are_shared";
    /// Only the direct caller's waiting thread is asked back.
    OnlyTheDirectCallerIsKnown: "harness_itself.counters_are_shared";
    // ---- workers ----
    /// The pool has a thread less than it may have.
    PoolHasOneLess: "harness_itself.counters_are_shared";
    /// The pool has a thread more than it may have.
    PoolHasOneMore: "harness_itself.counters_are_shared";
    /// All threads of the pool are started at once.
    PoolIsStartedWhole: "harness_itself.counters_are_shared";
    /// All workers have one number in their names.
    WorkersShareANumber: "harness_itself.counters_are_shared";
    /// A worker ends after its first work.
    WorkersServeOnce: "harness_itself.counters_are_shared";
    /// The number of workers cannot be set.
    SetMaxIsIgnored: "harness_itself.counters_are_shared";
    /// 33 workers may be asked for.
    SetMaxTakesThirtyThree: "harness_itself.counters_are_shared";
    /// Raising the number of workers starts none for what waits.
    RaisingStartsNobody: "harness_itself.counters_are_shared";
    /// Workers beyond a lowered number end.
    LoweringEndsThreads: "harness_itself.counters_are_shared";
    /// The job that was given last is done first.
    LastJobComesFirst: "harness_itself.counters_are_shared";
    /// Of several processes' requests the newest is served first.
    NewestRequestComesFirst: "harness_itself.counters_are_shared";
    /// `StopWorkThread` does nothing.
    StopIsIgnored: "harness_itself.counters_are_shared";
    /// `StopWorkThread` ends another thread of the pool.
    StopIsForAnotherThread: "harness_itself.counters_are_shared";
    /// A stopped thread of the pool is missing for good.
    StoppedThreadsAreNotReplaced: "harness_itself.counters_are_shared";
    /// A thread that was stopped before it joins serves all the same.
    JoinForgetsAnEarlierStop: "harness_itself.counters_are_shared";
    /// A joined thread takes a place of the pool.
    JoinedThreadsTakeAPlace: "harness_itself.counters_are_shared";
    // ---- identity ----
    /// The handler of an asynchronous request is told its sender's process.
    AsyncPidIsTold: "harness_itself.counters_are_shared";
    /// A handler is told another user than its caller's.
    AnotherUserIsTold: "harness_itself.counters_are_shared";
    /// A handler is told a first token id.
    FirstTokenIsTold: "harness_itself.counters_are_shared";
    /// A handler is not told its caller's token id.
    TokenIdsAreNotTold: "harness_itself.counters_are_shared";
    /// `IPCKIT_TOKEN_ID` is not looked at.
    TokenIdIsIgnored: "harness_itself.counters_are_shared";
    /// A nested handler is told the caller of the outermost one.
    OutermostCallerIsTold: "harness_itself.counters_are_shared";
    /// A thread acts for a caller whose request it has handled.
    IdentityOutlivesItsHandler: "harness_itself.counters_are_shared";
    /// `ResetCallingIdentity` only tells the identity.
    ResetChangesNothing: "harness_itself.counters_are_shared";
    /// `SetCallingIdentity` takes any text.
    AnyTextIsAnIdentity: "harness_itself.counters_are_shared";
    /// `SetCallingIdentity` refuses a text outside of handlers.
    TextsAreReadOutsideOfHandlers: "harness_itself.counters_are_shared";
    /// The text of an identity lacks the token id.
    TextHasNoTokenId: "harness_itself.counters_are_shared";
    // ---- descriptors of stubs ----
    /// A stub's descriptor is not remembered.
    DescriptorIsAskedForEachTime: "harness_itself.counters_are_shared";
    /// The question for a stub's descriptor goes to its handler.
    HandlersSeeDescriptorQuestions: "harness_itself.counters_are_shared";
    /// The length of a text that is given out lacks its NUL.
    LengthsLackTheNul: "harness_itself.counters_are_shared";
    /// The descriptor of a dead stub is empty.
    DeadHaveNoDescriptor: "harness_itself.counters_are_shared";
    /// A descriptor does not pass through UTF-16.
    DescriptorsAreNotChecked: "harness_itself.counters_are_shared";
    // ---- wrappers ----
    /// Each reference makes a proxy of its own.
    WrappersShareNothing: "harness_itself.counters_are_shared";
    /// An object that comes back to its process is not known there.
    ObjectsDoNotComeHome: "harness_itself.counters_are_shared";
    /// `ReadRemoteStub` gives nothing for a proxy.
    ProxiesAreNotReadAsStubs: "harness_itself.counters_are_shared";
    // ---- lifetimes ----
    /// The destroy callback of a stub is not called.
    StubsAreNotDestroyed: "harness_itself.counters_are_shared";
    /// The destroy callback of a stub is called twice.
    StubsAreDestroyedTwice: "harness_itself.counters_are_shared";
    /// A destroyed parcel's objects stay held.
    ParcelsKeepTheirObjects: "harness_itself.counters_are_shared";
    /// Received objects stay held.
    ReceivedObjectsStayHeld: "harness_itself.counters_are_shared";
    /// The reply of an asynchronous handler stays held.
    AsyncRepliesAreKept: "harness_itself.counters_are_shared";
    /// An appended object's reference is not given back.
    AppendTakesTooManyReferences: "harness_itself.counters_are_shared";
    /// A proxy that goes does not let go of its stub.
    SharesAreNotGivenBack: "harness_itself.counters_are_shared";
    /// Who lets go of one reference to a stub lets go of all.
    FirstShareBackEndsAll: "harness_itself.counters_are_shared";
    /// A stub can end before messages that were sent to it are handled.
    MessagesDoNotHoldTheirStub: "harness_itself.counters_are_shared";
    /// What a dead process held stays held.
    TheDeadKeepTheirShares: "harness_itself.counters_are_shared";
    /// The objects of a message that was not sent stay held.
    UnsentSharesStayCounted: "harness_itself.counters_are_shared";
    // ---- forwarding ----
    /// An object that is passed on is not kept until it has arrived.
    OwnersAreNotAskedToKeep: "harness_itself.counters_are_shared";
    /// An object that was not passed on after all stays held.
    UnsentLendsStay: "harness_itself.counters_are_shared";
    /// What was on its way to a dead process stays held.
    LendsToTheDeadStay: "harness_itself.counters_are_shared";
    /// An object that has arrived stays held for who passed it on.
    KeptStubsStayKept: "harness_itself.counters_are_shared";
    /// What a dead process had sent is not handled.
    MessagesDieWithTheirSender: "harness_itself.counters_are_shared";
    // ---- file descriptors ----
    /// A file descriptor that is read is close-on-exec.
    ReadDescriptorsAreCloseOnExec: "harness_itself.counters_are_shared";
    /// The file descriptors of a message arrive in reverse.
    DescriptorsAreMixedUp: "harness_itself.counters_are_shared";
    /// A received file descriptor stays open once more.
    ReceivedDescriptorsStayOpen: "harness_itself.counters_are_shared";
    /// A sent file descriptor stays open once more.
    SentDescriptorsStayOpen: "harness_itself.counters_are_shared";
    /// The file descriptors of a refused message stay open.
    RefusedDescriptorsAreKept: "harness_itself.counters_are_shared";
    /// Only the first 253 file descriptors of a message are sent.
    OneTransferIsAll: "harness_itself.counters_are_shared";
    /// The file descriptors that a dead process had sent stay open.
    DescriptorsOfTheDeadStayOpen: "harness_itself.counters_are_shared";
    // ---- death ----
    /// No recipient is told of a death.
    DeathsAreNotTold: "harness_itself.counters_are_shared";
    /// Each recipient is told twice.
    DeathIsToldTwice: "harness_itself.counters_are_shared";
    /// Recipients are told by the thread that notices the death.
    DeathIsToldOnAnInnerThread: "harness_itself.counters_are_shared";
    /// The recipients of a proxy are told in reverse.
    CallbacksComeInReverse: "harness_itself.counters_are_shared";
    /// The callbacks of a proxy do not wait for each other.
    CallbacksRunAtOnce: "harness_itself.counters_are_shared";
    /// A callback that does not return keeps the others waiting.
    CallbacksWaitForEver: "harness_itself.counters_are_shared";
    /// A recipient that is added again replaces itself.
    EntriesAreMerged: "harness_itself.counters_are_shared";
    /// Removing a recipient removes all its entries.
    RemoveTakesAllEntries: "harness_itself.counters_are_shared";
    /// A removed recipient is told all the same.
    RemovedEntriesAreTold: "harness_itself.counters_are_shared";
    /// A removed recipient's destroy callback does not run.
    RemovedRecipientsStay: "harness_itself.counters_are_shared";
    /// The destroy callback of a recipient is not called.
    RecipientsAreNotDestroyed: "harness_itself.counters_are_shared";
    /// A proxy goes with its last wrapper, its recipients with it.
    EntriesDoNotKeepTheirProxy: "harness_itself.counters_are_shared";
    /// A proxy stays though its last recipient was removed.
    RemovedEntriesKeepTheirProxy: "harness_itself.counters_are_shared";
    /// That a death was told is not noted.
    NoticeIsForgotten: "harness_itself.counters_are_shared";
    /// A recipient that is added to a dead proxy is not told.
    LateRecipientsAreNotTold: "harness_itself.counters_are_shared";
    /// No recipient can be added to a dead proxy.
    LateRecipientsAreRefused: "harness_itself.counters_are_shared";
    /// A recipient can be removed from a dead proxy.
    TheDeadLoseRecipients: "harness_itself.counters_are_shared";
    /// A death that nobody was told of is not known.
    UnwatchedDeathIsUnknown: "harness_itself.counters_are_shared";
    /// A request to a proxy whose death was told gives an inner error.
    ToldDeathIsAnInnerError: "harness_itself.counters_are_shared";
    /// A dead proxy cannot be sent.
    TheDeadCannotBeSent: "harness_itself.counters_are_shared";
    // ---- calls at a death ----
    /// A call under way is not woken by its callee's death.
    DeathWakesNobody: "harness_itself.counters_are_shared";
    /// A call that a death wakes gets another code.
    WokenCallsGetAnotherCode: "harness_itself.counters_are_shared";
    /// A request to a dead process waits.
    DeadAreWaitedFor: "harness_itself.counters_are_shared";
    /// A handler that throws does not end its process.
    ThrowersHang: "harness_itself.counters_are_shared";
    // ---- leftovers ----
    /// What connected to a dead process stays.
    EndedConnectionsStay: "harness_itself.counters_are_shared";
    /// A process keeps the child's end of each child's socket.
    SocketsOfChildrenStay: "harness_itself.counters_are_shared";
}
