/** Milliseconds of work in one turn of a thread's event loop, whichever requests it is for. */
const TURN_MS = 5

/** One event loop a thread, and so one line of those who wait for it. */
const waiting: (() => void)[] = []
let began = Number.NEGATIVE_INFINITY
let scheduled = false

/**
 * For loops whose length a caller decides: `await turn()` between two steps lets other requests in as soon as this
 * turn of the event loop has been worked in for long enough. Undefined while there is time left, and awaiting it then
 * costs next to nothing. Who waits goes on in the order of arrival, one in each turn of the loop, so many long
 * requests at once hold it no longer than one.
 */
export function turn(): Promise<void> | undefined {
  if (performance.now() - began < TURN_MS) return undefined
  return new Promise((goOn) => {
    waiting.push(goOn)
    if (scheduled) return
    scheduled = true
    setImmediate(nextTurn)
  })
}

function nextTurn(): void {
  const goOn = waiting.shift()
  scheduled = goOn !== undefined
  if (!goOn) return
  began = performance.now()
  goOn()
  setImmediate(nextTurn)
}
