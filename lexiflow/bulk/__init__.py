"""Many rows in few statements, for every door: REST, the admin, commands, jobs. No domain.

    table      what of an application may be changed, and which of its rules hold
    items      what is asked of each row, and what became of it
    values     values read by the fields of the table's serializer, each distinct one once
    batches    one batch: locked, judged, written by one statement for each set of fields
    running    batches in transactions: atomic or best effort, recorded, retried, resumed
    selection  lists, filters, and a recorded change backwards
    calls      a change made now, or left to a worker (`jobs`)

What a single PATCH may not do, no row of a bulk change may: the same serializer reads the values,
the same `validate` judges them, the same querysets say which rows there are.
"""
