// The Kubernetes client's types name those of `ws`, which it does not bring; nothing here speaks WebSocket.
declare module 'ws' {
  export type ClientOptions = object;
  export default interface WebSocket {
    readonly url: string;
  }
}
