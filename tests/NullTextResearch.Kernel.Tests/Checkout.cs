namespace NullTextResearch.Kernel.Tests;

/// <summary>The checkout that the tests were built from.</summary>
internal static class Checkout
{
    /// <summary>Folder of the committed notebooks.</summary>
    public static string Notebooks
    {
        get
        {
            for (DirectoryInfo? at = new(AppContext.BaseDirectory); at is not null; at = at.Parent)
            {
                if (File.Exists(Path.Combine(at.FullName, "NullTextResearch.sln")))
                    return Path.Combine(at.FullName, "notebooks");
            }

            throw new DirectoryNotFoundException("The tests run outside the checkout.");
        }
    }
}
