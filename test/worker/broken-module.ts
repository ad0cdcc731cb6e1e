/** A worker whose first import fails, as of a native module that was built for another Node. */
throw new Error('this module does not load')
