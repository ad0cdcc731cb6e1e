export const DIMENSIONS = 16
/** Documents in a batch of the child that gets killed. */
export const KILLED_BATCH = 30
