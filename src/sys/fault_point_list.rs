// SPDX-License-Identifier: Apache-2.0
// Each step of the library that another process can see. The library and tools/soak/ both include this.

fault_points! {
    // ---- the own segment ----
    /// Bytes are copied into the arena.
    ArenaWritten,
    /// A ring's record gets its content.
    RecordWritten,
    /// A ring's record gets its sequence, by which it is there.
    RecordPublished,
    /// A request for any worker is there.
    RequestPublished,
    /// A request for a waiting thread is there.
    NestedRequestPublished,
    /// An asynchronous message is there.
    AsyncPublished,
    /// A reply gets its content.
    ReplyWritten,
    /// A reply is there.
    ReplyPublished,
    /// A caller says that it sleeps.
    CallerSleeps,
    /// A caller says that it is awake.
    CallerIsAwake,
    /// A caller says that it has copied the reply.
    ReplyAcknowledged,
    /// A worker counts itself among those who look.
    LookBegins,
    /// A worker ceases to.
    LookEnds,
    /// Asynchronous messages are said to be taken in.
    AsyncTaken,
    /// Their bytes are said to be free.
    AsyncFreed,
    /// Their sender says how many bytes it has sent.
    AsyncSent,
    /// A life word says whose it is.
    LifeWordSet,
    /// It is on the list that the kernel walks.
    LifeWordListed,
    /// It is off that list.
    LifeWordUnlisted,
    // ---- the own status ----
    /// There may be so many bytes in use.
    RoomTold,
    /// Room is taken.
    RoomTaken,
    /// Room is given back.
    RoomGivenBack,
    /// An asynchronous message counts as in use.
    AsyncInUse,
    /// It does not any more.
    AsyncNotInUse,
    /// There is one more peer.
    PeerCounted,
    /// There is one less.
    PeerDiscounted,
    // ---- doorbells ----
    /// A channel has requests that nobody looks at.
    PendingSet,
    /// A channel has requests for waiting threads.
    PendingNestedSet,
    /// The channels that have some are taken.
    PendingTaken,
    /// A worker says that it sleeps.
    WorkerSleeps,
    /// It takes that back.
    WorkerIsAwake,
    /// Somebody takes a sleeping worker's bit away.
    SleeperClaimed,
    /// A bell counts one more.
    BellCounted,
    /// Who sleeps on it is woken.
    SleeperWoken,
    // ---- sockets ----
    /// The process listens.
    Listening,
    /// It connects to another one.
    Connected,
    /// It takes a connection in.
    Accepted,
    /// Hello.
    HelloSent,
    /// Welcome.
    WelcomeSent,
    /// A refusal.
    RefusedSent,
    /// A question for a share.
    AcquireSent,
    /// Its answer.
    AcquiredSent,
    /// Shares go back.
    ReleaseSent,
    /// A reference is about to go to a third process.
    LendSent,
    /// The stub is kept for it.
    LentSent,
    /// It did not go.
    UnlendSent,
    /// A question whether all of a dead process's messages have been taken.
    SettleSent,
    /// Its answer.
    SettledSent,
    /// Descriptors.
    DescriptorsSent,
    /// A question for room.
    AskRoomSent,
    /// Its answer.
    RoomInUseSent,
    /// A message that had to wait for the socket goes out.
    BacklogSent,
    /// A connection is ended for both sides.
    ShutDown,
}
