/** `interactive` never waits behind more than one bounded bulk batch; `bulk` takes what time is left. */
export type Lane = 'interactive' | 'bulk'
