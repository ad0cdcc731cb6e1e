export type JsonScalar = string | number | boolean | null
export type Json = JsonScalar | Json[] | { [key: string]: Json }

/** What a user hangs on a document and filters by. */
export type Metadata = { [key: string]: Json }
