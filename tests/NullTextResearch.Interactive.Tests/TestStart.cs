// One host is attached at a time, and a browser beside two tests is slower than one after them.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
