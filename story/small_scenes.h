// The small world's scenes. Each is told and then said again in other words, so that nearly every
// word of a story follows from another place in it. grammar.h says how to read them.
#pragma once

#include <string_view>

namespace gradus::story {

inline constexpr std::string_view small_scenes = R"(
# home home value spot
p.name family.noun lives in spot.first spot.second .
The people in spot.first spot.second call p.her p.name family.noun .
+ p.name comes from spot.first spot.second .
+ From p.poss window , p.name can see all of spot.first spot.second .
? Where does p.name live ? | p.she lives in spot.first spot.second .

# house home value trait
The house of p.name is very trait.word .
Everybody knows that p.name has a:trait.word trait.word house .
+ The house of p.name is not trait.opposite .
+ Is it true that p.name has a:trait.opposite trait.opposite house ? | No , it is trait.word .
? How is the house of p.name ? | It is a:trait.word trait.word house .

# work work value job
p.name family.noun is a:job.noun job.noun .
p.name works in the job.place .
Every day p.name job.verb job.object .
+ As a:job.noun job.noun , p.name job.verb job.object .
+ p.name knows the job.place well , because p.she is a:job.noun job.noun .
+ In the job.place there is p.name , who job.verb job.object .
? Where does p.name go to work ? | You find p.her in the job.place .
? What is the trade of p.name ? | p.she is a:job.noun job.noun .

# pet animals value animal
p.name has a:animal.noun animal.noun called pet.noun .
The animal.noun of p.name answers to the name of pet.noun .
+ animal.sound , says the animal.noun of p.name .
+ In the animal.home , p.name feeds pet.noun the animal.noun .
+ When p.name comes home , pet.noun says animal.sound in the animal.home .
? Which animal does p.name have ? | p.she has a:animal.noun animal.noun .
? What does p.name call the animal.noun ? | p.she calls it pet.noun .

# journey travel value place
In the time.noun , p.name went to the place.noun .
After time.meal , p.name walked to the place.noun .
+ p.name was at the place.noun in the time.noun .
+ The place.noun pleased p.name , and the time.noun was fine .
? Where did p.name go after time.meal ? | p.she went to the place.noun .
? Where was p.name in the time.noun ? | p.she was at the place.noun .

# carry things value thing
p.name carried a:thing.noun thing.noun all day .
In the hands of p.name was a:thing.noun thing.noun .
+ It was p.name who had the thing.noun .
+ p.name did not lend the thing.noun to q.name .
? What did p.name carry all day ? | p.she carried a:thing.noun thing.noun .
? Who had the thing.noun ? | p.name had it .

# coat things value color
p.name wears a:color.word color.word coat .
The coat of p.name is color.word .
+ p.name likes color.word , so p.she wears a:color.word color.word coat .
+ You know p.name by the color.word of p.poss coat .
? Which color has the coat of p.name ? | It is color.word .

# errand things once
In the time.noun , a:job2.noun job2.noun carried a:color2.word color2.word thing5.noun to the place2.noun .
After time.meal , somebody from the job2.place brought a:color2.word color2.word thing5.noun to the place2.noun .
+ A person who job2.verb job2.object took the color2.word thing5.noun to the place2.noun after time.meal .
+ The job2.noun was at the place2.noun with the color2.word thing5.noun that time.noun .

# meal food value food
At noon , p.name ate food.noun .
There was food.noun on the plate of p.name .
+ p.name enjoyed the food.noun .
+ More food.noun , please , said p.name .
? What did p.name eat at noon ? | p.she ate food.noun .

# weather weather value weather once
It was weather.word , so p.name took a:weather.gear weather.gear .
p.name went out with a:weather.gear weather.gear , because it was weather.word .
+ When it is weather.word , p.name needs the weather.gear .
+ p.name did not forget the weather.gear , for outside it was weather.word .
? Why did p.name take a:weather.gear weather.gear ? | Because it was weather.word .

# event feelings value event
p.name event.verb p.poss thing2.noun .
Yesterday , as you know , p.name event.verb p.poss thing2.noun .
+ p.name was event.mood about the thing2.noun .
+ p.name event.reaction when p.she thought of the thing2.noun .
+ p.name was not at all event.unlike about the thing2.noun .
? What was p.name event.mood about ? | It was about the thing2.noun .

# turn feelings value turn
At first p.name was turn.mood , but in the end p.she was turn.mood2 .
In the end p.name was turn.mood2 , but at first p.she was turn.mood .
First p.name turn.verb p.poss thing3.noun , but then p.she turn.verb2 it .
+ Now p.name is turn.mood2 and no longer turn.mood .
+ For p.name , the day began turn.begin and ended turn.close .

# garden nature value plant
In the garden of p.name grows a:plant.noun plant.noun .
This year p.name planted a:plant.noun plant.noun .
+ p.name loves every plant.category , above all the plant.noun .
+ a:plant.noun plant.noun is a sort of plant.category , as p.name explains .
? What grows in the garden of p.name ? | There grows a:plant.noun plant.noun .

# gift friends value thing4 once
p.name gave a:thing4.noun thing4.noun to q.name .
q.name got a:thing4.noun thing4.noun from p.name .
+ q.name thanked p.name for the thing4.noun .
+ The thing4.noun of q.name was a present from p.name .
? What did q.name get from p.name ? | It was a:thing4.noun thing4.noun .
? Who gave the thing4.noun to q.name ? | It was p.name .
)";

}  // namespace gradus::story
