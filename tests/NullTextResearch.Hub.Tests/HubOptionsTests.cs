using Xunit;

namespace NullTextResearch.Hub.Tests;

public sealed class HubOptionsTests
{
    private const string Secret = "hf_SecretThatNobodyMaySee";

    [Fact]
    public void FromEnvironment_NothingSet_IsThePublicHub()
    {
        HubOptions options = HubOptions.FromEnvironment(_ => null);
        Assert.Equal("https://huggingface.co/", options.Endpoint.AbsoluteUri);
        Assert.Null(options.Token);
        Assert.False(options.Offline);
    }

    [Theory]
    [InlineData("1", true)]
    [InlineData("true", true)]
    [InlineData("YES", true)]
    [InlineData("0", false)]
    [InlineData("", false)]
    public void FromEnvironment_Offline_IsReadAsPythonReadsIt(string value, bool offline) =>
        Assert.Equal(offline, HubOptions.FromEnvironment(name => name == "HF_HUB_OFFLINE" ? value : null).Offline);

    [Theory]
    [InlineData("huggingface")]
    [InlineData("ftp://mirror.example")]
    [InlineData("https://user:hf_SecretThatNobodyMaySee@mirror.example")]
    [InlineData("https://mirror.example/?token=hf_SecretThatNobodyMaySee")]
    public void FromEnvironment_UnusableEndpoint_IsRefusedWithoutRepeatingIt(string value)
    {
        HubException e = Assert.Throws<HubException>(() => HubOptions.FromEnvironment(name => name == "HF_ENDPOINT" ? value : null));
        Assert.Contains("HF_ENDPOINT", e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(Secret, e.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Token_TextForms_DoNotTell()
    {
        HubOptions options = HubOptions.FromEnvironment(name => name == "HF_TOKEN" ? Secret + "\n" : null);
        Assert.Equal(Secret, options.Token!.Value);
        Assert.DoesNotContain(Secret, options.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain(Secret, $"{options.Token}", StringComparison.Ordinal);
    }

    [Fact]
    public void Token_WithBlanks_IsRefusedWithoutRepeatingIt()
    {
        HubException e = Assert.Throws<HubException>(() => new HubToken(Secret + "\r\nX-Evil: 1"));
        Assert.DoesNotContain(Secret, e.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("https://huggingface.co", true)]
    [InlineData("http://mirror.example", false)]
    [InlineData("http://127.0.0.1:8080", true)]
    [InlineData("http://localhost", true)]
    public void Token_PlainHttpOverANetwork_IsNotSent(string endpoint, bool sent)
    {
        using HubClient client = new(new HubOptions { Endpoint = new Uri(endpoint), Token = new HubToken(Secret) });
        Assert.Equal(sent, client.SendsToken);
    }
}
