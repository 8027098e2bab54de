namespace NullTextResearch.Hosting;

/// <summary>Knows a library's arrays: tensors, pictures. Called from any thread.</summary>
public interface ISharedArrayConverter
{
    /// <summary>Describes a value as an array.</summary>
    /// <param name="value">Any value.</param>
    /// <returns>The array, which the caller disposes; null for values it does not know.</returns>
    /// <exception cref="ArgumentException">
    /// It knows the value, but it cannot be an array: disposed, or of a type that no other language has. The message says what to do.
    /// </exception>
    SharedArray? ToShared(object value);

    /// <summary>Makes a value of an array.</summary>
    /// <param name="array">To be read before this returns.</param>
    /// <param name="wanted">Type that the receiver asks for, or null: what suits the array best.</param>
    /// <returns>The value, which is the receiver's; null where this converter has nothing for such an array.</returns>
    object? FromShared(SharedArray array, Type? wanted);
}
