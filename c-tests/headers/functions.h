/* SPDX-License-Identifier: Apache-2.0 */
/* Every public function as F(result, name, (parameters)): the types that a program built for a device relies on. */
#ifndef IPCKIT_TESTS_FUNCTIONS_H
#define IPCKIT_TESTS_FUNCTIONS_H

/* libipc_capi.so */
#define IPC_CAPI_FUNCTIONS(F) \
    F(OHIPCParcel *, OH_IPCParcel_Create, (void)) \
    F(void, OH_IPCParcel_Destroy, (OHIPCParcel *)) \
    F(int, OH_IPCParcel_GetDataSize, (const OHIPCParcel *)) \
    F(int, OH_IPCParcel_GetWritableBytes, (const OHIPCParcel *)) \
    F(int, OH_IPCParcel_GetReadableBytes, (const OHIPCParcel *)) \
    F(int, OH_IPCParcel_GetReadPosition, (const OHIPCParcel *)) \
    F(int, OH_IPCParcel_GetWritePosition, (const OHIPCParcel *)) \
    F(int, OH_IPCParcel_RewindReadPosition, (OHIPCParcel *, uint32_t)) \
    F(int, OH_IPCParcel_RewindWritePosition, (OHIPCParcel *, uint32_t)) \
    F(int, OH_IPCParcel_WriteInt8, (OHIPCParcel *, int8_t)) \
    F(int, OH_IPCParcel_ReadInt8, (const OHIPCParcel *, int8_t *)) \
    F(int, OH_IPCParcel_WriteInt16, (OHIPCParcel *, int16_t)) \
    F(int, OH_IPCParcel_ReadInt16, (const OHIPCParcel *, int16_t *)) \
    F(int, OH_IPCParcel_WriteInt32, (OHIPCParcel *, int32_t)) \
    F(int, OH_IPCParcel_ReadInt32, (const OHIPCParcel *, int32_t *)) \
    F(int, OH_IPCParcel_WriteInt64, (OHIPCParcel *, int64_t)) \
    F(int, OH_IPCParcel_ReadInt64, (const OHIPCParcel *, int64_t *)) \
    F(int, OH_IPCParcel_WriteUint8, (OHIPCParcel *, uint8_t)) \
    F(int, OH_IPCParcel_ReadUint8, (const OHIPCParcel *, uint8_t *)) \
    F(int, OH_IPCParcel_WriteUint16, (OHIPCParcel *, uint16_t)) \
    F(int, OH_IPCParcel_ReadUint16, (const OHIPCParcel *, uint16_t *)) \
    F(int, OH_IPCParcel_WriteUint32, (OHIPCParcel *, uint32_t)) \
    F(int, OH_IPCParcel_ReadUint32, (const OHIPCParcel *, uint32_t *)) \
    F(int, OH_IPCParcel_WriteUint64, (OHIPCParcel *, uint64_t)) \
    F(int, OH_IPCParcel_ReadUint64, (const OHIPCParcel *, uint64_t *)) \
    F(int, OH_IPCParcel_WriteFloat, (OHIPCParcel *, float)) \
    F(int, OH_IPCParcel_ReadFloat, (const OHIPCParcel *, float *)) \
    F(int, OH_IPCParcel_WriteDouble, (OHIPCParcel *, double)) \
    F(int, OH_IPCParcel_ReadDouble, (const OHIPCParcel *, double *)) \
    F(int, OH_IPCParcel_WriteString, (OHIPCParcel *, const char *)) \
    F(const char *, OH_IPCParcel_ReadString, (const OHIPCParcel *)) \
    F(int, OH_IPCParcel_WriteBuffer, (OHIPCParcel *, const uint8_t *, int32_t)) \
    F(const uint8_t *, OH_IPCParcel_ReadBuffer, (const OHIPCParcel *, int32_t)) \
    F(int, OH_IPCParcel_WriteRemoteStub, (OHIPCParcel *, const OHIPCRemoteStub *)) \
    F(OHIPCRemoteStub *, OH_IPCParcel_ReadRemoteStub, (const OHIPCParcel *)) \
    F(int, OH_IPCParcel_WriteRemoteProxy, (OHIPCParcel *, const OHIPCRemoteProxy *)) \
    F(OHIPCRemoteProxy *, OH_IPCParcel_ReadRemoteProxy, (const OHIPCParcel *)) \
    F(int, OH_IPCParcel_WriteFileDescriptor, (OHIPCParcel *, int32_t)) \
    F(int, OH_IPCParcel_ReadFileDescriptor, (const OHIPCParcel *, int32_t *)) \
    F(int, OH_IPCParcel_Append, (OHIPCParcel *, const OHIPCParcel *)) \
    F(int, OH_IPCParcel_WriteInterfaceToken, (OHIPCParcel *, const char *)) \
    F(int, OH_IPCParcel_ReadInterfaceToken, (const OHIPCParcel *, char **, int32_t *, OH_IPC_MemAllocator)) \
    F(OHIPCRemoteStub *, OH_IPCRemoteStub_Create, (const char *, OH_OnRemoteRequestCallback, \
      OH_OnRemoteDestroyCallback, void *)) \
    F(void, OH_IPCRemoteStub_Destroy, (OHIPCRemoteStub *)) \
    F(void, OH_IPCRemoteProxy_Destroy, (OHIPCRemoteProxy *)) \
    F(int, OH_IPCRemoteProxy_SendRequest, (const OHIPCRemoteProxy *, uint32_t, const OHIPCParcel *, OHIPCParcel *, \
      const OH_IPC_MessageOption *)) \
    F(int, OH_IPCRemoteProxy_GetInterfaceDescriptor, (OHIPCRemoteProxy *, char **, int32_t *, OH_IPC_MemAllocator)) \
    F(OHIPCDeathRecipient *, OH_IPCDeathRecipient_Create, (OH_OnDeathRecipientCallback, \
      OH_OnDeathRecipientDestroyCallback, void *)) \
    F(void, OH_IPCDeathRecipient_Destroy, (OHIPCDeathRecipient *)) \
    F(int, OH_IPCRemoteProxy_AddDeathRecipient, (OHIPCRemoteProxy *, OHIPCDeathRecipient *)) \
    F(int, OH_IPCRemoteProxy_RemoveDeathRecipient, (OHIPCRemoteProxy *, OHIPCDeathRecipient *)) \
    F(int, OH_IPCRemoteProxy_IsRemoteDead, (const OHIPCRemoteProxy *)) \
    F(void, OH_IPCSkeleton_JoinWorkThread, (void)) \
    F(void, OH_IPCSkeleton_StopWorkThread, (void)) \
    F(uint64_t, OH_IPCSkeleton_GetCallingTokenId, (void)) \
    F(uint64_t, OH_IPCSkeleton_GetFirstTokenId, (void)) \
    F(uint64_t, OH_IPCSkeleton_GetSelfTokenId, (void)) \
    F(uint64_t, OH_IPCSkeleton_GetCallingPid, (void)) \
    F(uint64_t, OH_IPCSkeleton_GetCallingUid, (void)) \
    F(int, OH_IPCSkeleton_IsLocalCalling, (void)) \
    F(int, OH_IPCSkeleton_SetMaxWorkThreadNum, (const int)) \
    F(int, OH_IPCSkeleton_ResetCallingIdentity, (char **, int32_t *, OH_IPC_MemAllocator)) \
    F(int, OH_IPCSkeleton_SetCallingIdentity, (const char *)) \
    F(int, OH_IPCSkeleton_IsHandlingTransaction, (void))

/* libchild_process.so */
#define CHILD_PROCESS_FUNCTIONS(F) \
    F(int, OH_Ability_CreateNativeChildProcess, (const char *, OH_Ability_OnNativeChildProcessStarted)) \
    F(Ability_NativeChildProcess_ErrCode, OH_Ability_CreateNativeChildProcessWithConfigs, (const char *, \
      Ability_ChildProcessConfigs *, OH_Ability_OnNativeChildProcessStarted)) \
    F(Ability_NativeChildProcess_ErrCode, OH_Ability_StartNativeChildProcess, (const char *, \
      NativeChildProcess_Args, NativeChildProcess_Options, int32_t *)) \
    F(Ability_NativeChildProcess_ErrCode, OH_Ability_StartNativeChildProcessWithConfigs, (const char *, \
      NativeChildProcess_Args, Ability_ChildProcessConfigs *, int32_t *)) \
    F(Ability_NativeChildProcess_ErrCode, OH_Ability_DestroyChildProcessConfigs, (Ability_ChildProcessConfigs *)) \
    F(Ability_NativeChildProcess_ErrCode, OH_Ability_ChildProcessConfigs_SetIsolationMode, \
      (Ability_ChildProcessConfigs *, NativeChildProcess_IsolationMode)) \
    F(Ability_NativeChildProcess_ErrCode, OH_Ability_ChildProcessConfigs_SetIsolationUid, \
      (Ability_ChildProcessConfigs *, bool)) \
    F(Ability_NativeChildProcess_ErrCode, OH_Ability_ChildProcessConfigs_SetProcessName, \
      (Ability_ChildProcessConfigs *, const char *)) \
    F(Ability_NativeChildProcess_ErrCode, OH_Ability_RegisterNativeChildProcessExitCallback, \
      (OH_Ability_OnNativeChildProcessExit)) \
    F(Ability_NativeChildProcess_ErrCode, OH_Ability_UnregisterNativeChildProcessExitCallback, \
      (OH_Ability_OnNativeChildProcessExit)) \
    F(Ability_NativeChildProcess_ErrCode, OH_Ability_KillChildProcess, (int32_t)) \
    F(Ability_ChildProcessConfigs *, OH_Ability_CreateChildProcessConfigs, (void)) \
    F(NativeChildProcess_Args *, OH_Ability_GetCurrentChildProcessArgs, (void)) \
    F(bool, OH_Ability_IsNativeChildProcessSupported, (void))

/* libhilog_ndk.z.so */
#define HILOG_FUNCTIONS(F) \
    F(int, OH_LOG_Print, (LogType, LogLevel, unsigned int, const char *, const char *, ...)) \
    F(int, OH_LOG_PrintMsg, (LogType, LogLevel, unsigned int, const char *, const char *)) \
    F(int, OH_LOG_PrintMsgByLen, (LogType, LogLevel, unsigned int, const char *, size_t, const char *, size_t)) \
    F(int, OH_LOG_VPrint, (LogType, LogLevel, unsigned int, const char *, const char *, va_list)) \
    F(bool, OH_LOG_IsLoggable, (unsigned int, const char *, LogLevel)) \
    F(void, OH_LOG_SetCallback, (LogCallback)) \
    F(void, OH_LOG_SetMinLogLevel, (LogLevel)) \
    F(void, OH_LOG_SetLogLevel, (LogLevel, PreferStrategy))

#endif /* IPCKIT_TESTS_FUNCTIONS_H */
