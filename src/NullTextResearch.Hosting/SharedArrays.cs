namespace NullTextResearch.Hosting;

/// <summary>
/// Registry of converters that pass libraries' arrays between the languages of a notebook. The kernel itself handles .NET
/// arrays; everything else is registered here, like <see cref="Notebook.ShowInstead"/> for displayed values.
/// </summary>
public static class SharedArrays
{
    private static readonly Lock Gate = new();
    private static ISharedArrayConverter[] _converters = [];

    /// <summary>Adds a converter; the first one that knows a value is used.</summary>
    public static void Register(ISharedArrayConverter converter)
    {
        ArgumentNullException.ThrowIfNull(converter);
        lock (Gate)
            _converters = [.. _converters, converter];
    }

    /// <summary>For kernels: a value as an array, or null if it is not one.</summary>
    /// <exception cref="ArgumentException">The value is an array that cannot be passed on.</exception>
    public static SharedArray? ToShared(object value) => Volatile.Read(ref _converters).Select(c => c.ToShared(value)).FirstOrDefault(a => a is not null);

    /// <summary>For kernels: an array as a library's value, or null if no library has a type for it.</summary>
    public static object? FromShared(SharedArray array, Type? wanted) =>
        Volatile.Read(ref _converters).Select(c => c.FromShared(array, wanted)).FirstOrDefault(v => v is not null);
}
