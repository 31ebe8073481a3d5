"""What is part of an article and what a page put around it."""

from __future__ import annotations

import pytest

from annotate.article import Article
from annotate.reading import split

FURNITURE = """
By Jane Doe, Reuters
BY JANE DOE AND JOHN ROE
Written by Li Wei
May 3, 2021 4:12 PM GMT
Updated 2 hours ago
Posted on September 9, 2020 by admin
BEIJING, Sept 8 (Xinhua) --
Staff Reporter
3 min read
Photo: AFP
FILE PHOTO: A boat near the islands, April 2, 2019. REUTERS/Kham
Scott Olson via Getty Images
(AP Photo/Andy Wong)
Also Read: Tecno Spark Go 2020 vs Xiaomi Mi Note 10 Lite
READ ALSO
ALSO READ | India bans 59 apps
Related: Taiwan scrambles jets
Read more: Facebook fined in France
Share this article
Follow us on Twitter
Follow Jane Doe on Twitter @janedoe
Like us on Facebook and join the conversation
Facebook Twitter WhatsApp
Sign up for our newsletter
Get the day's top headlines delivered to your inbox.
Subscribe now for unlimited access
Join our Telegram channel for more.
Already a subscriber?
We use cookies to improve your experience.
By continuing to browse the site you agree to our use of cookies.
Advertisement
Story continues below advertisement
Click here to read more stories
(Reporting by Jane Doe; Editing by John Roe)
(With inputs from PTI)
© 2020 The Daily Bugle
Copyright 2020 The Daily Bugle. All rights reserved.
This article was originally published on The Conversation.
The views expressed here are the author's own.
Disclaimer: This post has been auto-published from an agency feed
Tags: China, Huawei, trade
Leave a Reply
Your email address will not be published.
Required fields are marked *
Save my name, email, and website in this browser for the next time I comment.
0 comment
12 Comments
Be the first to comment!
What's your reaction?
Watch the video below
Listen to this article
Support our journalism
Become a member
View all comments
Report this ad
Copy link
Send us your tips at tips@bugle.example
Please log in to comment
You must be logged in to post a comment.
Image source, Getty Images
Image copyright EPA
More on this story
Most Read
Editors' Picks
Don't Miss
Privacy Policy | Terms of Use | Contact Us
Source: Xinhua
The post China answers appeared first on The Bugle.
https://example.com/a.jpg
editor@example.com
@janedoe
* * *
.
""".strip().splitlines()

CONTENT = """
What does it include?
China Launches Initiative For Global Data Security Issues
TRUMP BANS TIKTOK
Why now?
Key points
"No," he said.
By Friday, the Commission had received 300 replies.
By signing the law, Trump hoped to please voters.
From Paris to Berlin, regulators are watching.
Follow the money, one analyst said.
Like many users on Facebook, he was angry.
Share prices of Twitter fell 3 percent.
Reports by Amnesty International say otherwise.
Companies must register with regulators or face fines.
The company may share data with Facebook, the report said.
The article was removed by censors.
Xi's comments drew criticism.
He posted comments on Twitter.
Reporting by the BBC showed that the camps had grown.
The photo shows a boat near the islands.
Subscribers to the service fell by a third.
The newspaper said that its website had been blocked.
HONG KONG: China has launched an initiative.
Updated figures show that trade fell.
The United States reserves all its rights, he said.
Read the law, she added.
“Join us here!”
Watch what they do, not what they say.
Support for the plan grew.
Advertisement revenue fell by a third.
Contact between the two sides has ceased.
Getty Images sued the company.
Photos from the scene showed smoke.
""".strip().splitlines()


def flags(text: str) -> dict[str, bool]:
    return {sentence.text: sentence.boilerplate for sentence in split(Article("a", text))}


@pytest.mark.parametrize("line", FURNITURE)
def test_furniture_is_marked_in_the_midst_of_an_article(line):
    before = "China launched an initiative on data security on Tuesday."
    after = "The United States did not answer at once, a spokesman said."
    found = flags(f"{before}\n{line}\n{after}")
    assert not found.pop(before)
    assert not found.pop(after)
    assert found
    assert all(found.values())


@pytest.mark.parametrize("line", CONTENT)
def test_content_is_not_marked(line):
    found = flags(
        f"A first sentence stands here for company and support.\n{line}\nAnother one stands here to end it."
    )
    assert not any(found.values())


def test_a_headline_repeated_is_marked_the_second_time_even_with_the_name_of_the_site():
    sentences = split(
        Article("a", "China answers the West | The Bugle\nChina answers the West\nIt did so on Tuesday.")
    )
    assert [sentence.boilerplate for sentence in sentences] == [False, True, False]


def test_what_two_people_both_answer_is_not_a_repeated_headline():
    assert not any(flags("“Did he lie?”\nNo.\n“Did she lie?”\nNo.").values())


def test_headlines_under_related_stories_are_marked_up_to_the_next_full_sentence():
    text = "China answered.\nRelated stories\nTaiwan scrambles jets\nIndia bans apps\nIt was a long day."
    assert list(flags(text).values()) == [False, True, True, True, False]


def test_navigation_above_and_furniture_below_the_text_are_marked_by_their_place():
    text = (
        "Home\nWorld\nVietnam protests new fishing ban\nNguyen An\n"
        "Vietnam on Monday protested a fishing ban imposed by China.\n"
        "Leave a comment\nPrevious story title\nName"
    )
    assert list(flags(text).values()) == [True, True, False, True, False, True, True, True]


def test_a_link_that_has_run_into_the_text_does_not_take_the_text_with_it():
    run_on = "Mr. Obama said that the framework would lead to a deal with Iran, " * 4
    text = f"SEE ALSO: Trump bans apps {run_on} he hoped."
    assert not any(flags(text).values())


def test_a_prompt_at_the_end_of_a_paragraph_leaves_the_paragraph_alone():
    found = flags("China answered on Tuesday. Sign up for our newsletter. The United States did not.")
    assert list(found.values()) == [False, True, False]
