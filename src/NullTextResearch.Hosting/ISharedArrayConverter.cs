namespace NullTextResearch.Hosting;

/// <summary>Converts a library's arrays, such as tensors and images. Called from any thread.</summary>
public interface ISharedArrayConverter
{
    /// <summary>Describes a value as an array.</summary>
    /// <param name="value">Any value.</param>
    /// <returns>The array, which the caller disposes; null for values that this converter does not know.</returns>
    /// <exception cref="ArgumentException">
    /// The value is known but cannot be shared: it is disposed, or its element type exists in no other language. The message says what to do.
    /// </exception>
    SharedArray? ToShared(object value);

    /// <summary>Creates a value from an array.</summary>
    /// <param name="array">The array; valid only until this method returns.</param>
    /// <param name="wanted">Type requested by the receiver; null for the type that suits the array best.</param>
    /// <returns>The value, owned by the receiver; null if this converter has no type for such an array.</returns>
    object? FromShared(SharedArray array, Type? wanted);
}
