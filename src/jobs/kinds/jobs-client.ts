/** Whose texts the encoder works on, where clients take turns: all jobs are one client. */
export const JOBS_CLIENT = 'jobs'
