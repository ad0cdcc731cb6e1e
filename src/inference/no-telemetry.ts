/**
 * Keeps ONNX Runtime from reporting to its maker. From 1.29 on its Linux builds write a device id and a queue of
 * events under ~/.cache and upload them; this variable, read once when the runtime starts, turns all of it off
 * (https://github.com/microsoft/onnxruntime/pull/27379).
 *
 * To be called on the main thread before a thread loads the runtime: a worker has a copy of the environment, which
 * native code does not see.
 */
export function disableRuntimeTelemetry(): void {
  process.env['ORT_DISABLE_TELEMETRY'] = '1'
}
