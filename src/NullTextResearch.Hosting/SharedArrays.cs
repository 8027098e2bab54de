namespace NullTextResearch.Hosting;

/// <summary>
/// Where libraries say how their arrays pass between the languages of a notebook. The kernel knows the arrays of .NET
/// itself; everything else is registered here, as <see cref="Notebook.ShowInstead"/> does it for what is shown.
/// </summary>
public static class SharedArrays
{
    private static readonly Lock Gate = new();
    private static ISharedArrayConverter[] _converters = [];

    /// <summary>Adds a converter; the first that knows a value is used.</summary>
    public static void Register(ISharedArrayConverter converter)
    {
        ArgumentNullException.ThrowIfNull(converter);
        lock (Gate)
            _converters = [.. _converters, converter];
    }

    /// <summary>For kernels: a value as an array, or null where it is none.</summary>
    /// <exception cref="ArgumentException">It is one that cannot be passed on.</exception>
    public static SharedArray? ToShared(object value) => Volatile.Read(ref _converters).Select(c => c.ToShared(value)).FirstOrDefault(a => a is not null);

    /// <summary>For kernels: a library's value of an array, or null where no library has one.</summary>
    public static object? FromShared(SharedArray array, Type? wanted) =>
        Volatile.Read(ref _converters).Select(c => c.FromShared(array, wanted)).FirstOrDefault(v => v is not null);
}
